//! Each sample of each page, compared with its snapshot under `tests/snapshots/pages`. `RELAIS_BLESS=1` writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Page;
use crate::web::route::Method;

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

/// Every snapshot with its name.
fn kept() -> Vec<(String, String)> {
    std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Forms that may be sent twice without harm, or that no session stands behind.
const WITHOUT_ONCE: [&str; 8] = [
    "/connexion",
    "/demonstration/connexion",
    "/ouvrir",
    "/ouvrir/confirmer",
    "/quitter",
    "/deconnexion",
    "/affectation",
    // Its password and code are good once.
    "/compte/mot-de-passe",
];

#[test]
fn every_form_that_does_something_carries_the_key_that_makes_pressing_twice_do_once() {
    let mut found = BTreeSet::new();
    for (name, html) in kept() {
        for form in html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let (head, rest) = form.split_once('>').unwrap();
            if !head.contains("method=\"post\"") {
                continue;
            }
            let action = head.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
            match WITHOUT_ONCE.iter().find(|known| **known == action) {
                Some(known) => {
                    found.insert(*known);
                }
                None => assert!(rest.contains("name=\"_once\""), "{name}: {action}"),
            }
        }
    }
    assert_eq!(found, BTreeSet::from(WITHOUT_ONCE), "an exception that is no more");
}

/// What a page promises by `data-kept` (leaving quickly takes the form along) is what `kept` does with its address.
#[test]
fn a_form_that_says_that_it_is_kept_is_one_that_is_kept() {
    let routes = crate::web::routes::all();
    let fits = |pattern: &str, path: &str| {
        let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
        let same = |(p, s): (&&str, &&str)| p == s || (p.starts_with('{') && !s.is_empty());
        pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
    };
    let mut forms = 0;
    for (name, html) in kept() {
        for head in html.split("<form ").skip(1).filter_map(|f| f.split('>').next()) {
            if !head.contains(" data-kept") {
                continue;
            }
            let action = head.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
            let path = action.split('?').next().unwrap();
            let mut rows = routes.iter().filter(|r| r.method == Method::Post && fits(r.path, path));
            assert!(rows.any(|r| crate::web::kept::keeps_forms_of(&routes, r)), "{name}: {action}");
            forms += 1;
        }
    }
    assert!(forms > 40, "{forms} forms");
}

#[test]
fn every_link_of_a_summary_leads_to_something_on_the_page() {
    let mut links = 0;
    for (name, html) in kept() {
        let Some((_, summary)) = html.split_once("id=\"a-corriger\">") else { continue };
        for link in summary.split("</div>").next().unwrap().split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert!(html.contains(&format!(" id=\"{id}\"")), "{name}: nothing is #{id}");
            links += 1;
        }
    }
    assert!(links > 10, "{links} links in all");
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
