//! The six fields of an expression: their ranges and names.

/// One of the six fields.
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) min: u8,
    pub(super) max: u8,
    /// The last value that counts where a text leaves the end open.
    pub(super) last: u8,
    pub(super) names: &'static [&'static str],
    /// The value of the first name.
    pub(super) first_name: u8,
    /// What it divides; a step over all of it is shorter at the end of that, unless it divides it evenly.
    pub(super) cycle: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Day,
    Month,
    Weekday,
}

pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const SECOND: Field = time_field("second", 59, "minute");
pub(super) const MINUTE: Field = time_field("minute", 59, "hour");
pub(super) const HOUR: Field = time_field("hour", 23, "day");
pub(super) const DAY: Field = Field {
    kind: Kind::Day,
    name: "day of the month",
    min: 1,
    max: 31,
    last: 31,
    names: &[],
    first_name: 0,
    cycle: None,
};
pub(super) const MONTH: Field = Field {
    kind: Kind::Month,
    name: "month",
    min: 1,
    max: 12,
    last: 12,
    names: &MONTHS,
    first_name: 1,
    cycle: Some("year"),
};
pub(super) const WEEKDAY: Field = Field {
    kind: Kind::Weekday,
    name: "weekday",
    min: 0,
    max: 7,
    last: 6,
    names: &WEEKDAYS,
    first_name: 0,
    cycle: None,
};

pub(super) const fn time_field(name: &'static str, max: u8, cycle: &'static str) -> Field {
    Field {
        kind: Kind::Time,
        name,
        min: 0,
        max,
        last: max,
        names: &[],
        first_name: 0,
        cycle: Some(cycle),
    }
}

impl Field {
    /// Every value it has.
    pub(super) fn all(&self) -> u64 {
        (self.min..=self.last).fold(0, |set, value| set | 1 << value)
    }

    /// The value of a number in range, or of a name.
    pub(super) fn value(&self, token: &str) -> Option<u8> {
        if is_number(token) {
            return token.parse().ok().filter(|value| (self.min..=self.max).contains(value));
        }
        let mut named = (self.first_name..).zip(self.names);
        named.find(|(_, name)| name.eq_ignore_ascii_case(token)).map(|(value, _)| value)
    }

    pub(super) fn expected(&self) -> String {
        let Self { min, max, .. } = self;
        let names = match self.names {
            [] => String::new(),
            [first, ..] => format!(", names such as `{first}`"),
        };
        let relative = match self.kind {
            Kind::Day => ", `L` for the last day, `15W` for the nearest working day",
            Kind::Weekday => ", `5L` or `5#2` for the last or the second of the month",
            Kind::Time | Kind::Month => "",
        };
        format!(
            "expected `*`, numbers from {min} to {max}{names}, ranges such as `{min}-{max}`, \
             steps such as `*/2`{relative}, or a list of these"
        )
    }
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
