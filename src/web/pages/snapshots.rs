//! Each sample of each page, compared with its snapshot under `tests/snapshots/pages`. `RELAIS_BLESS=1` writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Page;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/pages")
}

/// Renders every sample of a page and compares.
pub fn check<P: Page>() {
    let samples = P::samples();
    assert!(!samples.is_empty(), "{}: a page without samples", P::NAME);
    let mut names = BTreeSet::new();
    for (name, page) in samples {
        assert!(names.insert(name), "{}: two samples named {name}", P::NAME);
        let html = page.html().unwrap();
        assert!(html.contains("<!doctype html>") && html.contains("lang=\"fr\""), "{}: no page", P::NAME);
        for forbidden in [" style=", "<script>", " onclick=", "javascript:", "data:"] {
            assert!(
                !html.contains(forbidden),
                "{}.{name}: `{forbidden}` is forbidden by the content policy",
                P::NAME
            );
        }
        let path = folder().join(format!("{}.{name}.html", P::NAME));
        if std::env::var_os("RELAIS_BLESS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &html).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == html,
            "{} differs from what the page shows; look at it, then RELAIS_BLESS=1",
            path.display()
        );
    }
}

#[test]
fn every_template_has_a_snapshot() {
    let kept: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.split('.').next().map(ToOwned::to_owned))
        .collect();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/templates");
    for entry in std::fs::read_dir(templates).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".html").expect("templates end in .html");
        assert!(stem.starts_with('_') || kept.contains(stem), "{name}: no snapshot of this page");
    }
}
