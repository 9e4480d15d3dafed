//! Expressions in their parts, because what a rival makes of one is calculated from them.

use std::fmt;

use super::calendar::{ALL_WEEKDAYS, Calendar, Days, Relative};

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
    /// `a/n`.
    From(Value, u8),
    /// `?`.
    Any,
    /// `L`.
    Last,
    /// `L-n`.
    BeforeLast(u8),
    /// `LW`.
    LastWorking,
    /// `nW`.
    Near(u8),
    /// `nL`.
    LastOf(Value),
    /// `n#m`.
    Nth(Value, u8),
}

impl Item {
    pub(crate) fn step(&self) -> Option<u8> {
        match self {
            Self::Star(step) | Self::Range(_, _, step) => *step,
            Self::From(_, step) => Some(*step),
            Self::One(_)
            | Self::Any
            | Self::Last
            | Self::BeforeLast(_)
            | Self::LastWorking
            | Self::Near(_)
            | Self::LastOf(_)
            | Self::Nth(..) => None,
        }
    }

    /// The value that it begins with.
    pub(crate) fn first(&self) -> Option<&Value> {
        match self {
            Self::One(first)
            | Self::Range(first, _, _)
            | Self::From(first, _)
            | Self::LastOf(first)
            | Self::Nth(first, _) => Some(first),
            Self::Star(_)
            | Self::Any
            | Self::Last
            | Self::BeforeLast(_)
            | Self::LastWorking
            | Self::Near(_) => None,
        }
    }

    /// Whether it depends on the month.
    pub(crate) fn is_relative(&self) -> bool {
        matches!(
            self,
            Self::Last
                | Self::BeforeLast(_)
                | Self::LastWorking
                | Self::Near(_)
                | Self::LastOf(_)
                | Self::Nth(..)
        )
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Star(_) => f.write_str("*")?,
            Self::One(value) => f.write_str(&value.text)?,
            Self::Range(first, last, _) => write!(f, "{}-{}", first.text, last.text)?,
            Self::From(first, _) => f.write_str(&first.text)?,
            Self::Any => f.write_str("?")?,
            Self::Last => f.write_str("L")?,
            Self::BeforeLast(days) => write!(f, "L-{days}")?,
            Self::LastWorking => f.write_str("LW")?,
            Self::Near(day) => write!(f, "{day}W")?,
            Self::LastOf(weekday) => write!(f, "{}L", weekday.text)?,
            Self::Nth(weekday, nth) => write!(f, "{}#{nth}", weekday.text)?,
        }
        self.step().map_or(Ok(()), |step| write!(f, "/{step}"))
    }
}

/// Which of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Second,
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
            Self::Second | Self::Minute => 59,
            Self::Hour => 23,
            Self::Day => 31,
            Self::Month => 12,
            Self::Weekday => 7,
        }
    }

    /// The number that a name has; `sun` is 0.
    pub(crate) fn number(self, number: u8) -> u8 {
        if self == Self::Weekday { number % 7 } else { number }
    }

    pub(crate) fn name(self, number: u8) -> Option<&'static str> {
        match self {
            Self::Month => Some(MONTHS[usize::from(number) - 1]),
            Self::Weekday => Some(WEEKDAYS[usize::from(number % 7)]),
            Self::Second | Self::Minute | Self::Hour | Self::Day => None,
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

    /// The values of an item, as we read it.
    pub(crate) fn values(&self, item: &Item) -> u64 {
        match item {
            Item::Star(step) => stepped(self.kind.min(), self.kind.max(), *step),
            Item::One(value) => 1 << value.number,
            Item::Range(first, last, step) => stepped(first.number, last.number, *step),
            Item::From(first, step) => {
                // A week ends with Saturday, unless it begins with a Sunday of 7.
                let last = if self.kind == Kind::Weekday { 6 } else { self.kind.max() };
                stepped(first.number, last.max(first.number), Some(*step))
            }
            Item::Any => stepped(self.kind.min(), self.kind.max(), None),
            Item::Last
            | Item::BeforeLast(_)
            | Item::LastWorking
            | Item::Near(_)
            | Item::LastOf(_)
            | Item::Nth(..) => 0,
        }
    }

    pub(crate) fn begins_with_star(&self) -> bool {
        matches!(self.items[0], Item::Star(_) | Item::Any)
    }

    /// Whether it is `*` or `?` and nothing else.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.items[..], [Item::Star(None) | Item::Any])
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

/// An expression: five fields, which a word may stand for, and perhaps one for seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) word: Option<&'static str>,
    pub(crate) second: Option<Field>,
    pub(crate) minute: Field,
    pub(crate) hour: Field,
    pub(crate) day: Field,
    pub(crate) month: Field,
    pub(crate) weekday: Field,
}

/// The words that Debian's cron knows, and what they stand for.
pub(crate) const WORDS: [(&str, [Option<u8>; 5]); 7] = [
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

    pub(crate) fn field_mut(&mut self, kind: Kind) -> &mut Field {
        match kind {
            Kind::Second => self.second.as_mut().expect("asked for where it is"),
            Kind::Minute => &mut self.minute,
            Kind::Hour => &mut self.hour,
            Kind::Day => &mut self.day,
            Kind::Month => &mut self.month,
            Kind::Weekday => &mut self.weekday,
        }
    }

    /// Whether it follows the clock through changes, as our contract has it.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.minute.begins_with_star() || self.hour.begins_with_star()
    }

    /// The fields that are written, or that a word stands for.
    pub(crate) fn written_fields(&self) -> impl Iterator<Item = &Field> {
        self.second.iter().chain(self.fields())
    }

    /// All items, each with the kind of its field.
    pub(crate) fn items(&self) -> impl Iterator<Item = (Kind, &Item)> {
        self.written_fields().flat_map(|field| field.items.iter().map(|item| (field.kind, item)))
    }

    /// What it names, as our contract has it.
    pub(crate) fn calendar(&self) -> Calendar {
        self.calendar_with(Field::values)
    }

    /// What it names, if an item's values are as `values` says.
    pub(crate) fn calendar_with(&self, values: impl Fn(&Field, &Item) -> u64) -> Calendar {
        let set = |field: &Field| field.set(|item| values(field, item));
        let [minutes, hours, days, months, weekdays] = self.fields().map(set);
        let seconds = self.second.as_ref().map_or(1, set);
        let is_both = self.day.begins_with_star() || self.weekday.begins_with_star();
        let rule = if is_both { Days::Both } else { Days::Either };
        let relative = self.relative();
        Calendar { seconds, minutes, hours, days, months, weekdays, relative, rule }
    }

    fn relative(&self) -> Relative {
        let mut found = Relative::default();
        for (_, item) in self.items() {
            match item {
                Item::Last => found.before_last |= 1,
                Item::BeforeLast(days) => found.before_last |= 1 << days,
                Item::LastWorking => found.last_working = true,
                Item::Near(day) => found.near |= 1 << day,
                Item::LastOf(weekday) => found.last |= 1 << (weekday.number % 7),
                Item::Nth(weekday, nth) => {
                    found.nth[usize::from(*nth) - 1] |= 1 << (weekday.number % 7);
                }
                Item::Star(_) | Item::One(_) | Item::Range(..) | Item::From(..) | Item::Any => {}
            }
        }
        found
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.word {
            return f.write_str(word);
        }
        if let Some(second) = &self.second {
            write!(f, "{second} ")?;
        }
        let [minute, hour, day, month, weekday] = self.fields();
        write!(f, "{minute} {hour} {day} {month} {weekday}")
    }
}
