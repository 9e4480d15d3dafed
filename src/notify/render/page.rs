//! Blocks as plain text and as HTML.

use std::fmt::Write as _;

use super::escape;
use super::story::{Block, Link, Row};

/// Plain text: blocks with an empty line between.
pub(super) fn text(blocks: &[Block]) -> String {
    let mut text = blocks.iter().map(text_of).collect::<Vec<_>>().join("\n\n");
    text.push('\n');
    text
}

fn text_of(block: &Block) -> String {
    match block {
        Block::Said(text) | Block::Lines(text) => text.clone(),
        Block::Facts(facts) => {
            let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let lines: Vec<_> =
                facts.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
            lines.join("\n")
        }
        Block::Rows(rows) => rows.iter().map(row_text).collect::<Vec<_>>().join("\n"),
        Block::Output { heading, text } => {
            let lines: Vec<_> = text.lines().map(|line| format!("  | {line}")).collect();
            format!("{heading}:\n{}", lines.join("\n"))
        }
        Block::Links(links) => {
            let width = links.iter().map(|link| link.label.len()).max().unwrap_or(0);
            let lines: Vec<_> =
                links.iter().map(|Link { label, url }| format!("{label:width$}  {url}")).collect();
            lines.join("\n")
        }
        // What programs of mail take for a signature, and show as such.
        Block::Foot(text) => format!("-- \n{text}"),
    }
}

fn row_text(row: &Row) -> String {
    let Row { who, what, when, why, url, .. } = row;
    let mut text = format!("- {who}: {what}, {when}");
    if !why.is_empty() {
        let _ = write!(text, "\n  {why}");
    }
    if let Some(url) = url {
        let _ = write!(text, "\n  {url}");
    }
    text
}

const FONT: &str = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45";
const FIXED: &str =
    "font-family:ui-monospace,monospace;font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere";

/// HTML: nothing is loaded from anywhere, and nothing runs.
pub(super) fn html(blocks: &[Block]) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" \
         content=\"light dark\"></head>\n",
    );
    let _ = writeln!(page, "<body style=\"{FONT}\">");
    for block in blocks {
        html_of(block, &mut page);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn html_of(block: &Block, page: &mut String) {
    let _ = match block {
        Block::Said(text) => writeln!(page, "<p>{}</p>", escape::html(text)),
        Block::Lines(text) => {
            writeln!(page, "<p style=\"white-space:pre-wrap\">{}</p>", escape::html(text))
        }
        Block::Facts(facts) => {
            page.push_str("<table style=\"border-collapse:collapse\">\n");
            for (name, value) in facts {
                let _ = writeln!(
                    page,
                    "<tr><th scope=\"row\" style=\"text-align:left;font-weight:600;padding:1px 16px 1px 0;\
                     vertical-align:top\">{name}</th><td style=\"overflow-wrap:anywhere\">{}</td></tr>",
                    escape::html(value)
                );
            }
            writeln!(page, "</table>")
        }
        Block::Rows(rows) => {
            page.push_str("<ul style=\"padding-left:20px\">\n");
            for row in rows {
                row_html(row, page);
            }
            writeln!(page, "</ul>")
        }
        Block::Output { heading, text } => writeln!(
            page,
            "<p style=\"margin-bottom:4px\">{}:</p>\n<pre style=\"{FIXED};margin-top:0;padding:8px;border:1px solid \
             #c9ced6;border-radius:4px\">{}</pre>",
            escape::html(heading),
            escape::html(text)
        ),
        Block::Links(links) => {
            let links: Vec<_> =
                links.iter().map(|Link { label, url }| anchor(url, label)).collect();
            writeln!(page, "<p>{}</p>", links.join(" · "))
        }
        Block::Foot(text) => {
            writeln!(page, "<p style=\"color:#6a727d;font-size:12px\">{}</p>", escape::html(text))
        }
    };
}

fn row_html(row: &Row, page: &mut String) {
    let Row { who, what, when, why, url, .. } = row;
    let who = url.as_ref().map_or_else(|| escape::html(who), |url| anchor(url, who));
    let _ = write!(page, "<li><b>{who}</b>: {}, {}", escape::html(what), escape::html(when));
    if !why.is_empty() {
        let _ = write!(page, "<br>{}", escape::html(why));
    }
    page.push_str("</li>\n");
}

/// The address is one of the web: whoever makes links has looked.
fn anchor(url: &str, label: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape::html(url), escape::html(label))
}
