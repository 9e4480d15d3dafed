//! Bytes of a request → a JSON object.
//!
//! Stricter than `serde_json::from_slice` in what a job cannot mean (duplicate keys, deep nesting) and kinder in what
//! people send (a byte order mark). Does not know what a job is, nor how long a body may be: who reads the bytes
//! bounds them.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Problem;
use super::fields::{an, kind, shown};

/// How deep objects and arrays may be nested. A job needs six.
pub const JSON_DEPTH_MAX: usize = 64;

/// Reads a JSON object.
///
/// # Errors
///
/// A [`Problem`] of the body as a whole, with line and column, for anything that is not exactly one JSON object, nests
/// deeper than [`JSON_DEPTH_MAX`], or has a key twice.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Problem> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(refused("the body is empty".to_owned(), "send a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Nested { depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| from_serde(&error))?;
    if value.is_object() {
        return Ok(value);
    }
    Err(refused(format!("the body is {}", an(kind(&value))), "send a JSON object"))
}

fn refused(message: String, remedy: &str) -> Problem {
    Problem { field: String::new(), message, remedy: remedy.to_owned() }
}

fn from_serde(error: &serde_json::Error) -> Problem {
    let position = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    // serde_json appends the position in its own words.
    let reason = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    if error.is_data() {
        // Only the refusals of `Nested` are errors of data; they say what is wrong by themselves.
        let (message, remedy) = reason.split_once(REMEDY_MARK).unwrap_or((reason, "correct it"));
        return refused(format!("{message} ({position})"), remedy);
    }
    refused(format!("the body is no JSON: {reason} ({position})"), "correct it at that place")
}

/// Stands between message and remedy in the one text that serde passes on. A control character, because keys are
/// escaped before they become part of it.
const REMEDY_MARK: &str = "\u{1}";

/// Reads any value at a depth.
#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(E::custom(format!(
                "objects and arrays are nested more than {JSON_DEPTH_MAX} deep{REMEDY_MARK}flatten them"
            )));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let out_of_range = || E::custom(format!("a number is out of range{REMEDY_MARK}correct it"));
        Number::from_f64(value).map(Value::Number).ok_or_else(out_of_range)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!(
                    "the key `{}` is there twice{REMEDY_MARK}remove one of them",
                    shown(&key)
                )));
            }
            map.insert(key, entries.next_value_seed(inside)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse_json(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_object_is_read_with_and_without_byte_order_mark() {
        let expected = serde_json::json!({"a": [1, -1, 0.5, "x", null, true, {"b": {}}]});
        let text = r#" {"a":[1,-1,0.5,"x",null,true,{"b":{}}]} "#;
        assert_eq!(parse_json(text.as_bytes()).unwrap(), expected);
        assert_eq!(parse_json(format!("\u{feff}{text}").as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_single_object_is_refused_with_its_place() {
        for (text, expected) in [
            ("", "the body is empty: send a JSON object"),
            (" \n", "the body is empty: send a JSON object"),
            ("[]", "the body is a list: send a JSON object"),
            ("\"x\"", "the body is a text: send a JSON object"),
            ("null", "the body is null: send a JSON object"),
            (
                "{\n \"a\":1,\n \"a\":2}",
                "the key `a` is there twice (line 3, column 4): remove one of them",
            ),
            (
                r#"{"a":{"b\n":1,"b\n":1}}"#,
                r"the key `b\n` is there twice (line 1, column 19): remove one of them",
            ),
        ] {
            assert_eq!(refusal(text), expected, "{text}");
        }
        for text in [
            "{",
            "{]",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            "{\"a\":01}",
            "{} {}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\0\"}",
            "{'a':1}",
            "name=x&command=y",
            "{\"a\":Infinity}",
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with("the body is no JSON: "), "{text}: {refusal}");
            assert!(refusal.contains("(line 1, column "), "{text}: {refusal}");
        }
        assert!(parse_json(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested =
            |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(parse_json(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        let refusal = refusal(&nested(JSON_DEPTH_MAX + 1));
        assert!(
            refusal.starts_with("objects and arrays are nested more than 64 deep"),
            "{refusal}"
        );
        assert!(parse_json(format!("{{\"a\":{}", "[".repeat(1_000_000)).as_bytes()).is_err());
    }
}
