//! Canonical JSON: the subset of RFC 8785 (JCS) that holds objects, arrays, strings and integers.
//!
//! No float, no null, no boolean, no insignificant space; object keys are ASCII and strictly ascending; integers
//! are at most 2^53 − 1 in size. So one value has exactly one text, and Python's
//! `json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` writes the same bytes.
//!
//! INVARIANT: whatever [`parse`] accepts, [`Value::write`] gives back byte for byte.
//! It does not know any schema: that is `body`'s business.

use std::borrow::Cow;

/// The largest integer that every JSON reader keeps exactly (2^53 − 1).
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// Deeper nesting than any schema of ours; bounds the recursion of the reader.
const MAX_DEPTH: u8 = 8;

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Integer(i64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Text that is not canonical JSON.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not canonical JSON at byte {at}: {what}")]
pub struct JsonError {
    pub at: usize,
    pub what: &'static str,
}

impl<'a> Value<'a> {
    /// A text that borrows.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A list of texts.
    pub fn texts<S: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::List(texts.into_iter().map(|t| Self::Text(t.into())).collect())
    }

    /// The canonical text. Keys are sorted here; the caller need not.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write_into(&mut out);
        out
    }

    fn write_into(&self, out: &mut String) {
        match self {
            Self::Integer(n) => out.push_str(&n.to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write_into(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                out.push('{');
                for (i, (key, value)) in sorted.into_iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write_into(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes an object whose member `hole` is an integer not known yet: the text before that integer, and after it.
#[must_use]
pub fn write_around(mut entries: Vec<(&'static str, Value<'_>)>, hole: &'static str) -> (String, String) {
    entries.sort_by(|a, b| a.0.cmp(b.0));
    let (mut before, mut after) = (String::with_capacity(96), String::with_capacity(768));
    before.push('{');
    for (key, value) in entries.iter().filter(|(key, _)| *key < hole) {
        write_text(key, &mut before);
        before.push(':');
        value.write_into(&mut before);
        before.push(',');
    }
    write_text(hole, &mut before);
    before.push(':');
    for (key, value) in entries.iter().filter(|(key, _)| *key > hole) {
        after.push(',');
        write_text(key, &mut after);
        after.push(':');
        value.write_into(&mut after);
    }
    after.push('}');
    (before, after)
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads canonical JSON and nothing else.
///
/// # Errors
/// [`JsonError`] with the byte offset, for other JSON and for what is not JSON.
pub fn parse(text: &str) -> Result<Value<'_>, JsonError> {
    let mut reader = Reader::new(text);
    let value = reader.value(MAX_DEPTH)?;
    reader.end()?;
    Ok(value)
}

/// Reads canonical JSON piece by piece, for whoever knows what must come: `body` reads a million of them.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), JsonError> {
        if self.at == self.text.len() { Ok(()) } else { Err(self.error("something follows the value")) }
    }

    /// After an opening `{`, or after a member: the next key, `None` at the end of the object. Ascending order is the
    /// caller's to check.
    pub(super) fn key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, JsonError> {
        if self.take(b'}') {
            return Ok(None);
        }
        if !first && !self.take(b',') {
            return Err(self.error("expected `,` or `}`"));
        }
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key"));
        }
        let key = self.string()?;
        if !self.take(b':') {
            return Err(self.error("expected `:`"));
        }
        Ok(Some(key))
    }

    /// After an opening `[`, or after an item: whether another item follows.
    pub(super) fn item(&mut self, first: bool) -> Result<bool, JsonError> {
        if self.take(b']') {
            return Ok(false);
        }
        if first || self.take(b',') { Ok(true) } else { Err(self.error("expected `,` or `]`")) }
    }

    const fn error(&self, what: &'static str) -> JsonError {
        JsonError { at: self.at, what }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        if here {
            self.at = self.at.saturating_add(1);
        }
        here
    }

    fn value(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        let Some(depth) = depth.checked_sub(1) else { return Err(self.error("nested too deep")) };
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.map(depth),
            Some(b'-' | b'0'..=b'9') => self.integer().map(Value::Integer),
            Some(_) => Err(self.error("expected a string, an integer, a list or an object")),
            None => Err(self.error("the text ends too early")),
        }
    }

    fn list(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        self.take(b'[');
        let mut items = Vec::new();
        while self.item(items.is_empty())? {
            items.push(self.value(depth)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        self.take(b'{');
        let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        while let Some(key) = self.key(entries.is_empty())? {
            if !key.is_ascii() {
                return Err(self.error("a key is not ASCII"));
            }
            if entries.last().is_some_and(|(last, _)| *last >= key) {
                return Err(self.error("keys are not strictly ascending"));
            }
            let value = self.value(depth)?;
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }

    pub(super) fn integer(&mut self) -> Result<i64, JsonError> {
        let start = self.at;
        self.take(b'-');
        let digits = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at = self.at.saturating_add(1);
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let leading_zero = self.text.get(digits..self.at).is_some_and(|d| d.len() > 1 && d.starts_with('0'));
        let number: i64 = text.parse().map_err(|_| JsonError { at: start, what: "not an integer" })?;
        if leading_zero || text == "-0" || number.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
            return Err(JsonError { at: start, what: "not a canonical integer" });
        }
        Ok(number)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.take(b'"');
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        match plain_length(rest.as_bytes()) {
            Some(end) if rest.as_bytes().get(end) == Some(&b'"') => {
                self.at = start.saturating_add(end).saturating_add(1);
                Ok(Cow::Borrowed(rest.get(..end).unwrap_or_default()))
            }
            Some(_) => self.escaped_string(rest).map(Cow::Owned),
            None => Err(self.error("a string does not end")),
        }
    }

    fn escaped_string(&mut self, rest: &str) -> Result<String, JsonError> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = rest.char_indices();
        while let Some((i, c)) = chars.next() {
            self.at = start.saturating_add(i);
            match c {
                '"' => {
                    self.at = self.at.saturating_add(1);
                    return Ok(out);
                }
                '\\' => out.push(match chars.next().map(|(_, e)| e) {
                    Some('"') => '"',
                    Some('\\') => '\\',
                    Some('b') => '\u{8}',
                    Some('t') => '\t',
                    Some('n') => '\n',
                    Some('f') => '\u{c}',
                    Some('r') => '\r',
                    Some('u') => {
                        let hex: String = chars.by_ref().take(4).map(|(_, h)| h).collect();
                        control(&hex).ok_or_else(|| self.error("not a canonical escape"))?
                    }
                    _ => return Err(self.error("not a canonical escape")),
                }),
                c if u32::from(c) < 0x20 => return Err(self.error("a control character is not escaped")),
                c => out.push(c),
            }
        }
        Err(self.error("a string does not end"))
    }
}

/// Where the first quote, backslash or control character is; eight bytes at a time, because `audit verify` spends its
/// time here.
fn plain_length(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, tail) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that is zero in `x`; exact for the lowest such byte, which is the one asked for.
        let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
        let control = word.wrapping_sub(u64::from_le_bytes([0x20; 8])) & !word & HIGH;
        let found = zero(word ^ u64::from_le_bytes([b'"'; 8]))
            | zero(word ^ u64::from_le_bytes([b'\\'; 8]))
            | control;
        if found != 0 {
            let within = usize::try_from(found.trailing_zeros() / 8).ok()?;
            return n.checked_mul(8)?.checked_add(within);
        }
    }
    let within = tail.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20)?;
    bytes.len().checked_sub(tail.len())?.checked_add(within)
}

/// A control character that has no short escape, from its four lower-case hexadecimal digits.
fn control(hex: &str) -> Option<char> {
    let canonical = hex.len() == 4 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
    let short = matches!(c, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r');
    (canonical && u32::from(c) < 0x20 && !short).then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        let text = || {
            proptest::collection::vec(any::<char>(), 0..12).prop_map(|c| c.into_iter().collect::<String>())
        };
        let leaf = prop_oneof![
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Integer),
            text().prop_map(|t| Value::Text(Cow::Owned(t))),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                proptest::collection::btree_map("[ -~]{0,6}", inner, 0..5)
                    .prop_map(|m| Value::Map(m.into_iter().map(|(k, v)| (Cow::Owned(k), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in any_value()) {
            let text = value.write();
            prop_assert_eq!(parse(&text).unwrap(), value);
        }

        #[test]
        fn what_is_read_writes_back_the_same(text in "[\\[\\]{}\":,0-9a-b\\\\u-]{0,24}") {
            if let Ok(value) = parse(&text) {
                prop_assert_eq!(value.write(), text);
            }
        }

        #[test]
        fn an_independent_reader_agrees(value in any_value()) {
            let theirs: serde_json::Value = serde_json::from_str(&value.write()).unwrap();
            // serde_json sorts keys by bytes and writes no space: on this subset it is canonical too.
            prop_assert_eq!(theirs.to_string().replace('\u{7f}', ""), value.write().replace('\u{7f}', ""));
        }
    }

    proptest! {
        #[test]
        fn the_end_of_a_string_is_found_as_byte_by_byte(text in "[ -~é\u{7f}\u{0}-\u{1f}\"\\\\]{0,20}", pad in 0..20_usize) {
            let text = format!("{}{text}", "a".repeat(pad));
            let plain = text.bytes().position(|b| b == b'"' || b == b'\\' || b < 0x20);
            prop_assert_eq!(plain_length(text.as_bytes()), plain);
        }
    }

    #[test]
    fn other_json_is_refused() {
        for bad in [
            "",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "01",
            "-0",
            "+1",
            "9007199254740992",
            "null",
            "true",
            "[1, 2]",
            "[1,]",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":2}",
            "{\"é\":1}",
            "{a:1}",
            "\"\\u0041\"",
            "\"\\u001F\"",
            "\"\\u000a\"",
            "\"\\/\"",
            "\"a\nb\"",
            "\"open",
            "\"\\",
            "\"\\u00",
            "[[[[[[[[[1]]]]]]]]]",
            "99999999999999999999",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_object_is_split_around_one_integer() {
        let entries =
            vec![("z", Value::text("é\u{1}\"")), ("at2", Value::Integer(2)), ("a", Value::Integer(1))];
        let (before, after) = write_around(entries, "at");
        assert_eq!(
            (before.as_str(), after.as_str()),
            ("{\"a\":1,\"at\":", ",\"at2\":2,\"z\":\"é\\u0001\\\"\"}")
        );
        assert!(parse(&format!("{before}7{after}")).is_ok());
        assert_eq!(write_around(vec![], "at"), ("{\"at\":".to_owned(), "}".to_owned()));
    }
}
