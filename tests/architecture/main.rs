//! Holds the shape of the house: which room may look into which, which room alone knows a given crate, how long a
//! file may be, what may not be written. It reads the sources as text; it does not judge what they do.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources must stop")]

mod attacks;
mod documents;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may look into (itself always). An arrow that is not here points up or aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("ids", &["clock"]),
    ("domain", &["ids", "clock"]),
    ("crypto", &["domain", "ids", "clock"]),
    ("charter", &["crypto", "domain", "ids", "clock"]),
    ("access", &["charter", "crypto", "domain", "ids", "clock"]),
    ("audit", &["charter", "crypto", "domain", "ids", "clock"]),
    ("config", &["audit", "crypto", "domain", "ids", "clock"]),
    ("store", &["access", "audit", "charter", "crypto", "domain", "ids", "clock"]),
    ("service", &["store", "access", "audit", "charter", "crypto", "domain", "ids", "clock", "config"]),
    (
        "jobs",
        &["service", "store", "access", "audit", "charter", "crypto", "domain", "ids", "clock", "config"],
    ),
    (
        "web",
        &["service", "store", "access", "audit", "charter", "crypto", "domain", "ids", "clock", "config"],
    ),
    (
        "startup",
        &[
            "web", "jobs", "service", "store", "access", "audit", "charter", "crypto", "domain", "ids",
            "clock", "config",
        ],
    ),
    (
        "cli",
        &[
            "startup", "web", "jobs", "service", "store", "access", "audit", "charter", "crypto", "domain",
            "ids", "clock", "config",
        ],
    ),
];

/// Crates that only some rooms know.
const KEPT: &[(&str, &[&str])] = &[
    ("ring", &["crypto"]),
    ("diesel", &["store"]),
    ("diesel_migrations", &["store"]),
    ("libsqlite3_sys", &["store"]),
    ("casbin", &["charter"]),
    ("actix_web", &["web", "startup"]),
    // Outbound requests, to configured witnesses only.
    ("ureq", &["web"]),
];

const LONGEST_FILE: usize = 600;

struct Source {
    path: PathBuf,
    /// Path of the module, from the crate: `["domain", "item", "json"]`.
    module: Vec<String>,
    whole: String,
    /// Without comments and without what follows the first `#[cfg(test)]` module.
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The code that ships: no comment, nothing from the test module on. Text inside strings stays; no test here is
/// misled by it, since a path in a string is still a path that somebody wrote.
fn shipped(whole: &str) -> String {
    let mut out = String::new();
    let mut lines = whole.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        let opens_tests =
            lines.peek().is_some_and(|next| next.trim().starts_with("mod ") && next.contains("tests"));
        if trimmed == "#[cfg(test)]" && opens_tests {
            break;
        }
        let code = match trimmed.find("//") {
            Some(0) => "",
            // `https://` and the like are not comments.
            Some(at) if !trimmed[..at].ends_with(':') => &trimmed[..at],
            Some(_) | None => trimmed,
        };
        out.push_str(code);
        out.push('\n');
    }
    out
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 20, "the sources are there");
    files
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Vec<String> =
                relative.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            let whole = fs::read_to_string(&path).unwrap();
            let tests_only = path.file_stem().is_some_and(|s| s == "tests")
                || path.parent().is_some_and(|p| p.file_name().is_some_and(|n| n == "tests"));
            let code = if tests_only { String::new() } else { shipped(&whole) };
            Source { path, module, whole, code }
        })
        .collect()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn name_at(text: &str) -> &str {
    &text[..text.find(|c| !is_name(c)).unwrap_or(text.len())]
}

/// First names of what follows a `::`: one name, or those of a group in braces.
fn heads(after: &str) -> Vec<String> {
    let after = after.trim_start();
    let Some(group) = after.strip_prefix('{') else {
        return vec![name_at(after).to_owned()];
    };
    let mut names = Vec::new();
    let (mut depth, mut at_start) = (0_usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && is_name(c) => {
                names.push(name_at(&group[at..]).to_owned());
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

/// Byte offsets at which `word` stands by itself and not as the continuation of a path.
fn places(code: &str, word: &str) -> Vec<usize> {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !code[..*at].ends_with(is_name) && !code[..*at].ends_with("::"))
        .filter(|at| !code[at + word.len()..].starts_with(is_name))
        .collect()
}

/// The rooms that `source` looks into.
fn looks_into(source: &Source) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for root in ["crate", "$crate", "relais"] {
        for at in places(&source.code, root) {
            if let Some(after) = source.code[at + root.len()..].strip_prefix("::") {
                rooms.extend(heads(after));
            }
        }
    }
    for at in places(&source.code, "super") {
        let mut rest = &source.code[at..];
        let mut up = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            up += 1;
            rest = after;
        }
        if up >= source.module.len() {
            rooms.extend(heads(rest));
        }
    }
    let known: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    rooms.retain(|room| known.contains(room.as_str()));
    rooms
}

#[test]
fn arrows_point_down() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        if source.room().is_empty() {
            continue;
        }
        let Some(may) = allowed.get(source.room()) else {
            wrong.push(format!("{}: room `{}` has no row in ARROWS", source.path.display(), source.room()));
            continue;
        };
        for room in looks_into(&source) {
            if room != source.room() && !may.contains(&room.as_str()) {
                wrong.push(format!(
                    "{}: `{}` may not look into `{room}`",
                    source.path.display(),
                    source.room()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_arrows_has_no_circle() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for (room, below) in ARROWS {
        for lower in *below {
            assert!(!allowed[lower].contains(room), "`{room}` and `{lower}` may look into each other");
            for lowest in allowed[lower] {
                assert!(
                    below.contains(lowest) || *room == "config",
                    "`{room}` reaches `{lowest}` through `{lower}`"
                );
            }
        }
    }
}

#[test]
fn some_crates_are_known_to_one_room_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, rooms) in KEPT {
            let used = places(&source.code, name).into_iter().any(|at| {
                let after = &source.code[at + name.len()..];
                after.starts_with("::") || source.code[..at].trim_end().ends_with("use")
            });
            if used && !rooms.contains(&source.room()) {
                wrong.push(format!("{}: only {rooms:?} may know `{name}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// THREAT: a sign-in page that offers the people of the territory, under `serve`.
#[test]
fn the_door_of_a_demonstration_is_opened_by_the_demonstration_alone() {
    let opens: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.code.contains(".with_demonstration("))
        .map(|source| source.module.join("::"))
        .collect();
    assert_eq!(opens, ["cli::demo"]);
}

#[test]
fn every_file_says_what_it_is_for_and_can_be_read_in_one_sitting() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.whole.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!(
                "{}: {lines} lines, more than {LONGEST_FILE}: split it",
                source.path.display()
            ));
        }
        if !source.whole.starts_with("//!") {
            wrong.push(format!("{}: does not begin with `//!`", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_to_do_and_no_lint_is_silenced_without_a_reason() {
    let forbidden = [
        concat!("to", "do!("),
        concat!("un", "implemented!("),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        for (at, line) in source.whole.lines().enumerate() {
            let code = line.trim();
            let place = format!("{}:{}", source.path.display(), at + 1);
            for word in forbidden {
                if !code.starts_with("//") && code.contains(word) {
                    wrong.push(format!("{place}: `{word}` may not be written"));
                }
            }
        }
        for at in places(&source.code, "expect") {
            let attribute = source.code[..at].ends_with("#[") || source.code[..at].ends_with("#![");
            let end = source.code[at..].find(']').map_or(source.code.len(), |e| at + e);
            if attribute && !source.code[at..end].contains("reason") {
                wrong.push(format!("{}: `#[expect(…)]` without a reason", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reader itself, on sources that break the rules: a rule that cannot fail holds nothing.
#[test]
fn the_reader_sees_what_it_must_see() {
    let source = |module: &[&str], code: &str| Source {
        path: PathBuf::from("x.rs"),
        module: module.iter().map(|m| (*m).to_owned()).collect(),
        whole: code.to_owned(),
        code: shipped(code),
    };
    let rooms = |s: &Source| looks_into(s).into_iter().collect::<Vec<_>>().join(" ");

    assert_eq!(rooms(&source(&["domain"], "use crate::store::Thing;")), "store");
    assert_eq!(
        rooms(&source(&["domain"], "use crate::{clock::Clock, web::{ids, Page}, ids};")),
        "clock ids web"
    );
    assert_eq!(
        rooms(&source(&["domain"], "fn f() -> crate::access::Grant { $crate::audit::x() }")),
        "access audit"
    );
    assert_eq!(rooms(&source(&["domain", "item"], "use super::super::store::X;")), "store");
    assert_eq!(rooms(&source(&["domain", "item"], "use super::cell::X;")), "");
    assert_eq!(rooms(&source(&["domain"], "// use crate::store::Thing;\n/// [`crate::web`]")), "");
    assert_eq!(rooms(&source(&["domain"], "#[cfg(test)]\nmod tests {\nuse crate::store::X;\n}")), "");
    assert_eq!(rooms(&source(&["domain"], "#[cfg(test)]\nuse crate::store::X;")), "store");
    assert_eq!(rooms(&source(&["domain"], "let u = \"https://x\"; crate::web::y()")), "web");
    assert_eq!(places("ring::hmac rustls::crypto::ring::x string::ring", "ring"), [0]);
}
