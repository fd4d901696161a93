//! Single records: what `audit::LeafBody` reads and what the second verifier reads are the same texts, but for words and
//! ids: the second looks at their form, not at the lists of the vocabulary.

use relais::audit::LeafBody;
use serde_json::{Map, Value, json};

use super::batch::Batch;
use super::{Log, bodies};

/// Puts one body to both, as the only record of an export whose checkpoint (of the empty log) comes before it.
fn both(batch: &mut Batch, log: &Log, name: &str, body: &str) {
    let kept = batch.file(log.sign::<String>(&[]));
    let (file, vkey) = (batch.file(format!("{body}\n")), log.vkey().to_string());
    let ours = LeafBody::parse(body).is_ok();
    let new_word = WORDS.iter().any(|word| name.ends_with(&format!("{word} longer")));
    assert!(!new_word || !ours, "{name}: {body}");
    let arguments = ["verify-export", file.as_str(), "--key", &vkey, "--checkpoint", &kept];
    batch.command(format!("{name}: {body}"), &arguments, ours || new_word);
}

/// Members whose words come from a list that grows: a word that no list has is the one thing in a record that ours
/// refuses and the second verifier does not.
const WORDS: [&str; 10] = [
    "action",
    "function",
    "resource",
    "reason",
    "accord",
    "category",
    "purpose",
    "profession",
    "secrecy",
    "statute",
];

/// Every way in which one member of an object can be wrong.
fn mutations(whole: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    let mut out = Vec::new();
    let mut put = |name: String, member: &str, value: Option<Value>| {
        let mut object = whole.clone();
        match value {
            Some(value) => object.insert(member.to_owned(), value),
            None => object.remove(member),
        };
        out.push((name, object));
    };
    for (member, value) in whole {
        put(format!("without {member}"), member, None);
        for other in [
            json!(0),
            json!(1),
            json!(-1),
            json!(2),
            json!(1.5),
            json!(4_294_967_295_u32),
            json!(4_294_967_296_u64),
            json!(9_007_199_254_740_991_u64),
            json!(9_007_199_254_740_992_u64),
            json!(null),
            json!(true),
            json!(""),
            json!("Été\u{7f}"),
            json!([]),
            json!([""]),
            json!([1]),
            json!({}),
            json!([{}]),
            json!([[]]),
        ] {
            put(format!("{member} is {other}"), member, Some(other));
        }
        if let Value::String(text) = value {
            put(format!("{member} in capitals"), member, Some(json!(text.to_uppercase())));
            put(format!("{member} longer"), member, Some(json!(format!("{text}00"))));
            put(format!("{member} with a line"), member, Some(json!(format!("{text}\n"))));
        }
        if let Value::Array(items) = value {
            let mut twice = items.clone();
            twice.extend(items.iter().cloned());
            put(format!("{member} twice"), member, Some(json!(twice)));
        }
    }
    for unknown in ["a", "zz", "at2", "é", ""] {
        put(format!("unknown {unknown:?}"), unknown, Some(json!(1)));
    }
    out
}

#[test]
fn both_verifiers_read_the_same_records() {
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    for body in bodies(2) {
        both(&mut batch, &log, "honest", &body);
        let Value::Object(whole) = serde_json::from_str(&body).unwrap() else { panic!("{body}") };
        for (name, object) in mutations(&whole) {
            both(&mut batch, &log, &name, &canonical(&object));
        }
        let Some(Value::Array(facts)) = whole.get("facts") else { continue };
        for at in 0..facts.len() {
            for (name, object) in mutations(facts[at].as_object().unwrap()) {
                let mut changed = whole.clone();
                changed["facts"][at] = Value::Object(object);
                both(&mut batch, &log, &format!("facts {at}, {name}"), &canonical(&changed));
            }
        }
    }
    assert!(batch.len() > 700, "{}", batch.len());
    batch.judge();
}

/// The same object with its members in order, as both want it.
fn canonical(object: &Map<String, Value>) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let mut members: Vec<_> = object.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(members.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    sorted(&Value::Object(object.clone())).to_string()
}

#[test]
fn both_verifiers_accept_one_spelling_only() {
    let (log, mut batch) = (Log::new("relais.example/journal"), Batch::new());
    let body = bodies(1).remove(0);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text) in [
        ("a space at the start", format!(" {body}")),
        ("a space at the end", format!("{body} ")),
        ("a tab inside", body.replacen(',', ",\t", 1)),
        ("twice", format!("{body}{body}")),
        ("an escape too many", body.replacen("\"v\"", "\"\\u0076\"", 1)),
        ("a slash escaped", body.replacen("\"read\"", "\"re\\/ad\"", 1)),
        ("an exponent", body.replacen("\"v\":1", "\"v\":1e0", 1)),
        ("a fraction", body.replacen("\"v\":1", "\"v\":1.0", 1)),
        ("a zero too many", body.replacen("\"v\":1", "\"v\":01", 1)),
        ("a plus", body.replacen("\"v\":1", "\"v\":+1", 1)),
        ("not a number", body.replacen("\"v\":1", "\"v\":NaN", 1)),
        ("minus nothing", body.replacen("\"count\":4", "\"count\":-0", 1)),
        ("a long number", body.replacen("\"v\":1", &format!("\"v\":1{}", "0".repeat(100_000)), 1)),
        ("a member twice", body.replacen("\"v\":1", "\"v\":1,\"v\":1", 1)),
        (
            "the other order",
            body.replacen("{\"action\":\"read\",", "{", 1).replacen('}', ",\"action\":\"read\"}", 1),
        ),
        ("half a pair", body.replacen("teacher.schooling", "\\ud800", 1)),
        ("an upper-case escape", body.replacen("\\u0001", "\\u001F", 1)),
        ("a short escape written long", body.replacen("\\n", "\\u000a", 1)),
        ("a control character", body.replacen("\\u0001", "\u{1}", 1)),
        ("a comma at the end", body.replacen("\"v\":1,", "\"v\":1,,", 1)),
        ("nothing", String::new()),
        ("a list", format!("[{body}]")),
        ("a number", "1".to_owned()),
        ("very deep", deep),
        ("cut", body[..body.len() - 1].to_owned()),
    ] {
        assert_ne!(text, body, "{name}");
        assert!(LeafBody::parse(&text).is_err(), "{name}");
        both(&mut batch, &log, name, &text);
    }
    batch.judge();
}
