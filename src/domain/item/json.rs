//! JSON as it comes in and as it is kept: a strict reader (no key twice) and a canonical writer.
//!
//! Values that were read are wiped when they are no longer needed, as far as `serde_json` lets their memory be
//! reached.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use zeroize::{Zeroize, Zeroizing};

use super::ItemContent;

/// A content as it was submitted: well-formed, and nothing more. [`ItemContent::parse`] makes a content of it.
/// A request may have to be decided anew, so what was submitted can be read twice; every copy is wiped.
#[derive(Clone)]
pub struct Submitted(Value);

impl Submitted {
    pub(super) fn into_value(mut self) -> Value {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        wipe(std::mem::take(&mut self.0));
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submitted(…)")
    }
}

/// A form is a list of names and texts; lists and objects inside come from the page's own code.
impl From<Value> for Submitted {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl<'de> Deserialize<'de> for Submitted {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Strict::deserialize(d).map(|strict| Self(strict.0))
    }
}

impl utoipa::PartialSchema for Submitted {
    fn schema() -> RefOr<Schema> {
        ItemContent::schema()
    }
}

impl utoipa::ToSchema for Submitted {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("ItemContent")
    }
}

/// A JSON value in which no object has a key twice.
///
/// THREAT: two readers that keep different ones of two equal keys would show one text and keep another.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without repeated keys")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E: Error>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                wipe(value);
                wipe(Value::Object(map));
                let shown: String = key.chars().filter(|c| !c.is_control()).take(80).collect();
                return Err(A::Error::custom(format_args!("field `{shown}` given twice; keep one")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// Overwrites every text in `value`.
pub(super) fn wipe(value: Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(mut text) => text.zeroize(),
        Value::Array(all) => all.into_iter().for_each(wipe),
        Value::Object(map) => map.into_iter().for_each(|(_, value)| wipe(value)),
    }
}

/// Sorted keys, no space, shortest escapes: one value has one form, whatever the features of `serde_json`.
pub(super) fn canonical(value: &Value) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(4096));
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_text(text, out),
        Value::Array(all) => {
            out.push(b'[');
            for (at, item) in all.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write(item, out);
            }
            out.push(b'}');
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c < '\u{20}' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_given_twice_is_refused_at_any_depth() {
        for bad in [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":{"c":null,"c":null}}]}"#, r#"{"a":1,"\u0061":2}"#] {
            let error = serde_json::from_str::<Submitted>(bad).unwrap_err().to_string();
            assert!(error.contains("given twice"), "{error}");
        }
        assert!(serde_json::from_str::<Submitted>(r#"{"a":{"a":{"a":[1.5,-1,true,null,"x"]}}}"#).is_ok());
    }

    #[test]
    fn canonical_json_sorts_keys_and_reads_back() {
        let value = serde_json::json!({"b": [1, true, null], "a": {"é": "l'«été»\n\"\\\u{1}", "B": {}}});
        let bytes = canonical(&value);
        assert_eq!(
            std::str::from_utf8(&bytes).unwrap(),
            "{\"a\":{\"B\":{},\"é\":\"l'«été»\\n\\\"\\\\\\u0001\"},\"b\":[1,true,null]}"
        );
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
    }
}
