//! Questions: random expressions, zones and instants, and the seeds they come from.
//!
//! An expression keeps its parts, because what a rival makes of it is calculated from them.

use std::fmt;

use super::calendar::{ALL_WEEKDAYS, Calendar, Days};
use super::clock::Clock;

/// A generator with a seed, so that a question can be asked again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn chance(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }

    fn between(&mut self, first: u8, last: u8) -> u8 {
        let wide = self.below(u64::from(last - first) + 1);
        first + u8::try_from(wide).expect("a field is narrow")
    }

    pub(crate) fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let index = self.below(all.len() as u64);
        &all[usize::try_from(index).expect("it is small")]
    }

    fn second(&mut self, first: i64, last: i64) -> i64 {
        let wide = (last - first + 1).cast_unsigned();
        // Two draws, because one has 31 bits.
        let drawn = (self.below(1 << 31) << 20 ^ self.below(1 << 31)) % wide;
        first + drawn.cast_signed()
    }
}

/// A value, as a number and as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) number: u8,
    pub(crate) text: String,
}

impl Value {
    pub(crate) fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_alphabetic())
    }
}

/// An item of a field's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Star(Option<u8>),
    One(Value),
    Range(Value, Value, Option<u8>),
}

impl Item {
    pub(crate) fn step(&self) -> Option<u8> {
        match self {
            Self::Star(step) | Self::Range(_, _, step) => *step,
            Self::One(_) => None,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Star(_) => f.write_str("*")?,
            Self::One(value) => f.write_str(&value.text)?,
            Self::Range(first, last, _) => write!(f, "{}-{}", first.text, last.text)?,
        }
        self.step().map_or(Ok(()), |step| write!(f, "/{step}"))
    }
}

/// Which of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Kind {
    pub(crate) fn min(self) -> u8 {
        u8::from(matches!(self, Self::Day | Self::Month))
    }

    pub(crate) fn max(self) -> u8 {
        match self {
            Self::Minute => 59,
            Self::Hour => 23,
            Self::Day => 31,
            Self::Month => 12,
            Self::Weekday => 7,
        }
    }

    /// The number that a name has; `sun` is 0.
    fn number(self, number: u8) -> u8 {
        if self == Self::Weekday { number % 7 } else { number }
    }

    fn name(self, number: u8) -> Option<&'static str> {
        match self {
            Self::Month => Some(MONTHS[usize::from(number) - 1]),
            Self::Weekday => Some(WEEKDAYS[usize::from(number % 7)]),
            Self::Minute | Self::Hour | Self::Day => None,
        }
    }
}

/// A field: its items, and which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) kind: Kind,
    pub(crate) items: Vec<Item>,
}

impl Field {
    /// The values, if an item's are as `values` says.
    pub(crate) fn set(&self, values: impl Fn(&Item) -> u64) -> u64 {
        let set = self.items.iter().fold(0, |set, item| set | values(item));
        if self.kind == Kind::Weekday { (set | set >> 7) & ALL_WEEKDAYS } else { set }
    }

    /// The values of an item, as Debian's cron reads it.
    pub(crate) fn values(&self, item: &Item) -> u64 {
        match item {
            Item::Star(step) => stepped(self.kind.min(), self.kind.max(), *step),
            Item::One(value) => 1 << value.number,
            Item::Range(first, last, step) => stepped(first.number, last.number, *step),
        }
    }

    pub(crate) fn begins_with_star(&self) -> bool {
        matches!(self.items[0], Item::Star(_))
    }

    /// Whether it is `*` and nothing else.
    pub(crate) fn is_star(&self) -> bool {
        self.items == [Item::Star(None)]
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.items.iter().enumerate() {
            write!(f, "{}{item}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// The bits `first`, `first + step` and so on, up to `last`.
pub(crate) fn stepped(first: u8, last: u8, step: Option<u8>) -> u64 {
    let step = usize::from(step.unwrap_or(1));
    (first..=last).step_by(step).fold(0, |set, value| set | 1 << value)
}

/// An expression: five fields, which a word may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) word: Option<&'static str>,
    pub(crate) minute: Field,
    pub(crate) hour: Field,
    pub(crate) day: Field,
    pub(crate) month: Field,
    pub(crate) weekday: Field,
}

/// The words that Debian's cron knows, and what they stand for.
const WORDS: [(&str, [Option<u8>; 5]); 7] = [
    ("@yearly", [Some(0), Some(0), Some(1), Some(1), None]),
    ("@annually", [Some(0), Some(0), Some(1), Some(1), None]),
    ("@monthly", [Some(0), Some(0), Some(1), None, None]),
    ("@weekly", [Some(0), Some(0), None, None, Some(0)]),
    ("@daily", [Some(0), Some(0), None, None, None]),
    ("@midnight", [Some(0), Some(0), None, None, None]),
    ("@hourly", [Some(0), None, None, None, None]),
];

impl Expression {
    pub(crate) fn fields(&self) -> [&Field; 5] {
        [&self.minute, &self.hour, &self.day, &self.month, &self.weekday]
    }

    /// Whether it follows the clock through changes, as our contract has it.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.minute.begins_with_star() || self.hour.begins_with_star()
    }

    /// What it names, as our contract has it.
    pub(crate) fn calendar(&self) -> Calendar {
        let [minutes, hours, days, months, weekdays] =
            self.fields().map(|field| field.set(|item| field.values(item)));
        let is_both = self.day.begins_with_star() || self.weekday.begins_with_star();
        let rule = if is_both { Days::Both } else { Days::Either };
        Calendar { minutes, hours, days, months, weekdays, rule }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.word {
            return f.write_str(word);
        }
        let [minute, hour, day, month, weekday] = self.fields();
        write!(f, "{minute} {hour} {day} {month} {weekday}")
    }
}

/// Draws expressions of Debian's grammar.
impl Random {
    /// With a chance of naming a day, of a hundred.
    pub(crate) fn expression(&mut self, restricts_days: u64) -> Expression {
        if self.chance(4) {
            return self.word();
        }
        let minute = self.field(Kind::Minute);
        let hour = self.field(Kind::Hour);
        // Enough with one day field, with both and with neither.
        let (restricts_day, restricts_weekday) = match self.below(3) {
            _ if !self.chance(restricts_days) => (false, false),
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        let restricts_month = self.chance(restricts_days / 2);
        if self.chance(1) {
            return self.last_days(minute, hour);
        }
        let mut perhaps = |kind, restricts| {
            if restricts { self.field(kind) } else { Field { kind, items: vec![Item::Star(None)] } }
        };
        let day = perhaps(Kind::Day, restricts_day);
        let month = perhaps(Kind::Month, restricts_month);
        let weekday = perhaps(Kind::Weekday, restricts_weekday);
        Expression { word: None, minute, hour, day, month, weekday }
    }

    /// A date that only some months have, and perhaps none of those that are named.
    fn last_days(&mut self, minute: Field, hour: Field) -> Expression {
        let one = |kind, number: u8| Field {
            kind,
            items: vec![Item::One(Value { number, text: number.to_string() })],
        };
        let day = one(Kind::Day, *self.one_of(&[29, 30, 31]));
        let month = one(Kind::Month, *self.one_of(&[2, 2, 4, 6, 9, 11]));
        let weekday = if self.chance(50) { Item::Star(None) } else { Item::Star(Some(2)) };
        let weekday = Field { kind: Kind::Weekday, items: vec![weekday] };
        Expression { word: None, minute, hour, day, month, weekday }
    }

    fn word(&mut self) -> Expression {
        let (word, fields) = *self.one_of(&WORDS);
        let field = |index: usize, kind| {
            let one = |number: u8| Item::One(Value { number, text: number.to_string() });
            Field { kind, items: vec![fields[index].map_or(Item::Star(None), one)] }
        };
        Expression {
            word: Some(word),
            minute: field(0, Kind::Minute),
            hour: field(1, Kind::Hour),
            day: field(2, Kind::Day),
            month: field(3, Kind::Month),
            weekday: field(4, Kind::Weekday),
        }
    }

    fn field(&mut self, kind: Kind) -> Field {
        let count = *self.one_of(&[1, 1, 1, 1, 1, 1, 2, 2, 3, 4]);
        // A list with all among its items is read, but hardly written.
        let has_all = count == 1 || self.chance(5);
        Field { kind, items: (0..count).map(|_| self.item(kind, has_all)).collect() }
    }

    fn item(&mut self, kind: Kind, may_be_all: bool) -> Item {
        let step = |random: &mut Self| {
            // Now and then longer than the field, which leaves the first value.
            let longest = if random.chance(5) { kind.max() + 3 } else { kind.max().min(20) };
            random.between(1, longest)
        };
        match self.below(20) {
            0 | 1 if may_be_all => Item::Star(None),
            2..=4 => Item::Star(Some(step(self))),
            5..=8 => self.range(kind, None),
            9 | 10 => {
                let step = step(self);
                self.range(kind, Some(step))
            }
            _ => Item::One(self.value(kind)),
        }
    }

    fn range(&mut self, kind: Kind, step: Option<u8>) -> Item {
        let (one, other) = (self.value(kind), self.value(kind));
        let other = if self.chance(5) { one.clone() } else { other };
        let (first, last) = if one.number <= other.number { (one, other) } else { (other, one) };
        Item::Range(first, last, step)
    }

    fn value(&mut self, kind: Kind) -> Value {
        // Clocks change at night.
        let number = match kind {
            Kind::Hour if self.chance(60) => *self.one_of(&[0, 1, 2, 3, 23]),
            Kind::Minute if self.chance(30) => *self.one_of(&[0, 1, 15, 30, 59]),
            _ => self.between(kind.min(), kind.max()),
        };
        let named = kind.name(number).filter(|_| self.chance(50));
        match named {
            Some(name) => Value { number: kind.number(number), text: self.cased(name) },
            None if self.chance(5) => Value { number, text: format!("{number:02}") },
            None => Value { number, text: number.to_string() },
        }
    }

    fn cased(&mut self, name: &str) -> String {
        let mut cased = |c: char| if self.chance(50) { c.to_ascii_uppercase() } else { c };
        name.chars().map(&mut cased).collect()
    }
}

/// A zone that questions are asked in.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) name: &'static str,
    pub(crate) rules: jiff::tz::TimeZone,
    pub(crate) clock: Clock,
}

/// Changes by an hour, half an hour, two hours, a day and 44.5 minutes; at midnight, a minute after it and in the
/// evening; summer time in winter, four changes in a year, offsets of 45 minutes, and no change at all.
pub(crate) const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Monrovia",
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Asia/Tehran",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
];

/// The years that instants are drawn from, 1970 to 2037.
const FIRST_SECOND: i64 = 0;
const LAST_SECOND: i64 = 2_145_916_799;
const TWO_DAYS: i64 = 2 * 86_400;
const QUARTER: i64 = 6 * 3_600;

/// What all are asked: the next occurrences of an expression after an instant, in a zone.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) seed: u64,
    pub(crate) expression: Expression,
    pub(crate) text: String,
    pub(crate) zone: usize,
    pub(crate) after: i64,
}

impl Question {
    /// The question of a seed.
    pub(crate) fn new(seed: u64, zones: &[Zone]) -> Self {
        let mut random = Random::new(seed);
        let zone = usize::try_from(random.below(zones.len() as u64)).expect("few zones");
        let changes = zones[zone].clock.changes(FIRST_SECOND..LAST_SECOND);
        let (after, restricts_days) = if changes.is_empty() || random.chance(50) {
            (random.second(FIRST_SECOND, LAST_SECOND), 75)
        } else {
            let change = random.one_of(changes).at;
            let far = *random.one_of(&[TWO_DAYS, QUARTER, QUARTER]);
            // What runs on few days would seldom see the change.
            (random.second((change - far).max(FIRST_SECOND), change + far), 20)
        };
        let expression = random.expression(restricts_days);
        // Half of them on a minute, where "after" and "at or after" differ.
        let after = if random.chance(50) { after - after.rem_euclid(60) } else { after };
        Self { seed, text: expression.to_string(), expression, zone, after }
    }
}
