//! Questions: random expressions, zones and instants, and the seeds they come from.

use super::clock::Clock;
use super::expression::{Expression, Field, Item, Kind, Value, WORDS};

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
        Expression { word: None, second: None, minute, hour, day, month, weekday }
    }

    /// An expression with something that Debian's cron does not read.
    fn extended(&mut self, restricts_days: u64) -> Expression {
        let plain = loop {
            let expression = self.expression(restricts_days);
            if expression.word.is_none() {
                break expression;
            }
        };
        let mut expression = plain;
        if self.chance(60) {
            expression.second = Some(self.field(Kind::Second));
        }
        match self.below(4) {
            0 => expression.day.items = self.relative_days(),
            1 => expression.weekday.items = self.relative_weekdays(),
            2 if self.chance(40) => {
                expression.day.items = self.relative_days();
                expression.weekday.items = self.relative_weekdays();
            }
            _ => {}
        }
        if self.chance(15) {
            let Expression { day, weekday, .. } = &mut expression;
            self.one_of_two(day, weekday).items = vec![Item::Any];
        }
        if self.chance(25) {
            let kinds = [Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::Weekday];
            let kind = *self.one_of(&kinds);
            let item = Item::From(self.value(kind), self.between(1, kind.max().min(20)));
            expression.field_mut(kind).items = vec![item];
        }
        expression
    }

    fn one_of_two<'f>(&mut self, one: &'f mut Field, other: &'f mut Field) -> &'f mut Field {
        if self.chance(50) { one } else { other }
    }

    fn relative_days(&mut self) -> Vec<Item> {
        let item = match self.below(4) {
            0 => Item::Last,
            1 => Item::LastWorking,
            2 => Item::Near(self.between(1, 31)),
            _ if self.chance(30) => Item::BeforeLast(self.between(1, 30)),
            _ => Item::Last,
        };
        if self.chance(20) { vec![Item::One(self.value(Kind::Day)), item] } else { vec![item] }
    }

    fn relative_weekdays(&mut self) -> Vec<Item> {
        let count = *self.one_of(&[1, 1, 1, 2]);
        let mut item = || {
            let weekday = self.value(Kind::Weekday);
            if self.chance(50) {
                Item::LastOf(weekday)
            } else {
                Item::Nth(weekday, self.between(1, 5))
            }
        };
        (0..count).map(|_| item()).collect()
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
        Expression { word: None, second: None, minute, hour, day, month, weekday }
    }

    fn word(&mut self) -> Expression {
        let (word, fields) = *self.one_of(&WORDS);
        let field = |index: usize, kind| {
            let one = |number: u8| Item::One(Value { number, text: number.to_string() });
            Field { kind, items: vec![fields[index].map_or(Item::Star(None), one)] }
        };
        Expression {
            word: Some(word),
            second: None,
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

/// Seeds with this bit ask for what Debian's cron does not read.
pub(crate) const EXTENDED: u64 = 1 << 62;

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
        let is_extended = seed & EXTENDED != 0;
        let changes = zones[zone].clock.changes(FIRST_SECOND..LAST_SECOND).iter();
        // croniter needs minutes to go through the seconds of a day that a zone left out.
        let changes: Vec<_> =
            changes.filter(|change| !is_extended || change.shift() < 12 * 3_600).collect();
        let (after, restricts_days) = if changes.is_empty() || random.chance(50) {
            (random.second(FIRST_SECOND, LAST_SECOND), 75)
        } else {
            let change = random.one_of(&changes).at;
            let far = *random.one_of(&[TWO_DAYS, QUARTER, QUARTER]);
            // What runs on few days would seldom see the change.
            (random.second((change - far).max(FIRST_SECOND), change + far), 20)
        };
        let expression = if is_extended {
            random.extended(restricts_days)
        } else {
            random.expression(restricts_days)
        };
        // Half of them on a minute, where "after" and "at or after" differ.
        let after = if random.chance(50) { after - after.rem_euclid(60) } else { after };
        Self { seed, text: expression.to_string(), expression, zone, after }
    }
}
