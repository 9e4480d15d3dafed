//! A text that is looked for in many others, whatever the case of its letters.

/// A text that is looked for, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needle(String);

impl Needle {
    /// An empty text is none.
    pub(crate) fn of(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_lowercase()))
    }

    /// One for each of the words that blanks part.
    pub(crate) fn words(text: &str) -> Vec<Self> {
        text.split_whitespace().filter_map(Self::of).collect()
    }

    /// `lower` is room for the text in small letters, taken once for many texts.
    pub(crate) fn is_in(&self, text: &str, lower: &mut String) -> bool {
        lower.clear();
        if text.is_ascii() {
            lower.push_str(text);
            lower.make_ascii_lowercase();
        } else {
            lower.push_str(&text.to_lowercase());
        }
        lower.contains(&self.0)
    }
}
