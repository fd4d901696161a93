//! Holds what the documents point to: files that are there, pictures that a browser test takes, and commands that run
//! some test. A check that selects no test passes whatever the code does, so it would prove nothing of its promise.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::rust_files;

/// Every document, with its folder.
fn documents(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path());
        found.extend(entries.filter(|p| p.extension().is_some_and(|e| e == "md")));
    }
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// Where the links and pictures of a document lead, those to other sites and to a part of the page left out.
fn leads(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|after| after.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split_once('#').map_or(target, |(file, _)| file))
        .collect()
}

#[test]
fn every_link_of_a_document_leads_to_a_file_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for (path, text) in documents(root) {
        for target in leads(&text) {
            count += 1;
            assert!(path.parent().unwrap().join(target).exists(), "{}: {target}", path.display());
        }
    }
    assert!(count > 20, "{count} links only: the reader of links is wrong");
}

#[test]
fn every_picture_is_shown_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown: BTreeSet<String> = documents(root)
        .iter()
        .flat_map(|(_, text)| leads(text))
        .filter_map(|target| target.rsplit_once("screens/").map(|(_, name)| name.to_owned()))
        .collect();
    let kept: BTreeSet<String> = fs::read_dir(root.join("docs/screens"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        kept.difference(&shown).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "pictures that nobody sees"
    );
}

/// The tests of the crate (`src`), or of one test program (`tests/NAME`): `module::function`, as cargo names them.
fn names(root: &Path, folder: &str) -> Vec<String> {
    let top = root.join(folder);
    let mut files = Vec::new();
    rust_files(&top, &mut files);
    let mut out = Vec::new();
    for path in files {
        let module = path.strip_prefix(&top).unwrap().with_extension("");
        let mut module: Vec<String> =
            module.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("#[test]") {
            let function = text[at..].split_once("fn ").unwrap().1;
            let function = function.split(['(', '<']).next().unwrap();
            // A test module inside the file adds its name; a filter that says `tests` is not used.
            out.push(format!("{}::{function}", module.join("::")));
        }
        // Properties: functions of a `proptest!`.
        if text.contains("proptest!") {
            out.push(format!("{}::", module.join("::")));
        }
    }
    out
}

#[test]
fn every_check_that_a_document_gives_selects_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for (path, text) in documents(root) {
        for command in text.split('`').filter(|t| t.starts_with("cargo test ") && !t.contains('\n')) {
            let words: Vec<&str> = command.split(' ').take_while(|w| *w != "--").skip(2).collect();
            let mut folder = String::from("src");
            let mut filter = None;
            let mut words = words.into_iter();
            while let Some(word) = words.next() {
                match word {
                    "--test" => folder = format!("tests/{}", words.next().unwrap()),
                    "--features" => drop(words.next()),
                    _ if word.starts_with('-') => {}
                    _ => filter = Some(word),
                }
            }
            let wanted = filter.unwrap_or_default();
            // `cargo test NAME`: any of the names of a table.
            if wanted == "NAME" {
                continue;
            }
            count += 1;
            let all = names(root, &folder);
            assert!(
                all.iter().any(|name| name.contains(wanted)),
                "{}: `{command}` runs nothing",
                path.display()
            );
        }
    }
    assert!(count > 20, "{count} commands only: the reader of commands is wrong");
}
