//! Text that is nothing but text, wherever it is put.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands as it is in a part of a path. JavaScript leaves a few more, which programs of mail take for the end of an
/// address.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whether a character shows nothing of itself, or changes what others look like: a name must not look like another.
///
/// Joiners and variation selectors stay: scripts and pictures need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e00ff}'
                | '\u{e01f0}'..='\u{e0fff}'
        )
}

/// On one line, with everything visible: what is hidden is shown as `\u{202e}`, `\n` and so on.
pub(super) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`line`], but with line breaks and tabs, and without the colours of terminals.
pub(super) fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\u{1b}' if rest.peek() == Some(&'[') => {
                let sequence: String =
                    rest.clone().skip(1).take_while(|c| is_parameter(*c)).collect();
                if rest.clone().nth(1 + sequence.len()) == Some('m') {
                    // All of it is ASCII, so its length is its number of characters.
                    rest.nth(1 + sequence.len());
                } else {
                    shown.extend(c.escape_default());
                }
            }
            _ if is_hidden(c) => shown.extend(c.escape_default()),
            _ => shown.push(c),
        }
    }
    shown
}

fn is_parameter(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ';' | ':')
}

/// What somebody else said, on one line of at most `characters`.
pub(crate) fn cut_line(text: &str, characters: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line(&words), characters)
}

/// The beginning of a text, with a sign where more followed.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// As text of HTML, also within quotes.
pub(super) fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(c),
        }
    }
    shown
}

/// As text of Slack, in which `<!channel>` calls everybody and `<https://…|name>` hides where it leads.
pub(super) fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As text of Mattermost, which is Markdown: no link or picture whose address is not seen, and nobody is called.
///
/// Brackets alone mean nothing there, and stay: subjects have them.
pub(super) fn mattermost(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let leads_away = c == ']' && matches!(rest.peek(), Some('(' | ':'));
        if leads_away || matches!(c, '<' | '`' | '\\') {
            shown.push('\\');
        }
        shown.push(c);
        // A mention needs the name right behind it.
        if c == '@' {
            shown.push('\u{200b}');
        }
    }
    shown
}

/// A part of a path.
pub(super) fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// Whether a text may become a link: an address of the web in which nothing is hidden.
pub(super) fn is_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let is_plain = |c: char| !c.is_whitespace() && !is_hidden(c) && !matches!(c, '<' | '>' | '"');
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_shown() {
        assert_eq!(line("a\u{202e}b\r\nc\0\u{feff}"), r"a\u{202e}b\r\nc\u{0}\u{feff}");
        // A family of three, Persian with a joiner, a heart in colour: as they are.
        for text in ["👨\u{200d}👩\u{200d}👧", "می\u{200c}خواهم", "❤\u{fe0f}", "Grüße, 世界"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn lines_keep_their_breaks_and_lose_their_colours() {
        assert_eq!(lines("\u{1b}[1;31merror\u{1b}[0m: x\r\n\tat y\n"), "error: x\n\tat y\n");
        assert_eq!(lines("10%\r20%\u{1b}[2J\u{1b}]0;t\u{7}"), r"10%\r20%\u{1b}[2J\u{1b}]0;t\u{7}");
        assert_eq!(lines("\u{1b}["), r"\u{1b}[");
    }

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü…");
        assert_eq!(cut_line("  250\r\n 2.0.0\tOk ", 20), "250 2.0.0 Ok");
    }

    #[test]
    fn text_of_a_chat_calls_nobody_and_hides_no_address() {
        assert_eq!(slack("<!channel> & <http://x|y>"), "&lt;!channel&gt; &amp; &lt;http://x|y&gt;");
        assert_eq!(
            mattermost("[Chronos] @all ![p](http://x) [q]: http://y `<z>"),
            "[Chronos] @\u{200b}all ![p\\](http://x) [q\\]: http://y \\`\\<z>"
        );
    }

    #[test]
    fn only_plain_addresses_of_the_web_become_links() {
        for text in ["https://wiki.example/a?b=c#d", "HTTP://wiki.example", "http://[::1]/x"] {
            assert!(is_link(text), "{text}");
        }
        for text in [
            "",
            "https://",
            "http:///x",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://x",
            "wiki.example",
            "https://a b",
            "https://a\"onclick=x",
            "https://a<b>",
            "https://a\u{202e}b",
            " https://a",
        ] {
            assert!(!is_link(text), "{text}");
        }
    }

    #[test]
    fn parts_of_a_path_are_encoded() {
        assert_eq!(part("a b#c/ü.-_~('"), "a%20b%23c%2F%C3%BC.-_~%28%27");
    }
}
