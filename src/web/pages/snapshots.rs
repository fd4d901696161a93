//! Each sample of each page, compared with its snapshot under `tests/snapshots/pages`. `RELAIS_BLESS=1` writes them.
//!
//! INVARIANT: pages, checks, templates and snapshots are the same set: a page that no test checks fails, and so does a
//! template without a page or a snapshot without a sample.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use super::Page;
use crate::web::route::{Method, fits};

/// The most that a page weighs: it is read on a telephone, outside (`tests/browser/tests/everywhere.test.mjs`).
pub const HEAVIEST: usize = 60 * 1024;

/// A text of that many letters, with the accents and apostrophes of French: what a limit of so many lets somebody write.
pub fn full(letters: usize) -> String {
    "L'élève est très attendu à l'école, et sa mère l'a répété dès l'été. "
        .chars()
        .cycle()
        .take(letters)
        .collect()
}

/// Renders the fullest page that there can be, and tells what it weighs when that is too much.
pub fn light<P: Page>(page: &P) -> String {
    let html = page.html().unwrap();
    assert!(html.len() <= HEAVIEST, "{} weighs {} bytes when it is full", P::NAME, html.len());
    html
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("tests/snapshots/pages")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let name = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
    std::fs::read_dir(folder).unwrap().map(name).collect()
}

/// Renders every sample of a page and compares; a snapshot of this page that is no sample's is one too many.
pub fn check<P: Page>() {
    let blessing = std::env::var_os("RELAIS_BLESS").is_some();
    let samples = P::samples();
    assert!(!samples.is_empty(), "{}: a page without samples", P::NAME);
    let mut names = BTreeSet::new();
    for (name, page) in samples {
        let html = page.html().unwrap();
        assert!(html.contains("<!doctype html>") && html.contains("lang=\"fr\""), "{}: no page", P::NAME);
        for forbidden in [" style=", "<script>", " onclick=", "javascript:", "data:"] {
            assert!(
                !html.contains(forbidden),
                "{}.{name}: `{forbidden}` is forbidden by the content policy",
                P::NAME
            );
        }
        assert!(html.len() <= HEAVIEST, "{}.{name} weighs {} bytes", P::NAME, html.len());
        let file = format!("{}.{name}.html", P::NAME);
        let path = folder().join(&file);
        assert!(names.insert(file), "{}: two samples named {name}", P::NAME);
        if blessing {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &html).unwrap();
        }
        let kept = read_to_string(&path).unwrap_or_default();
        assert!(
            kept == html,
            "{} differs from what the page shows; look at it, then RELAIS_BLESS=1",
            path.display()
        );
    }
    let own = format!("{}.", P::NAME);
    for orphan in names_in(&folder()).into_iter().filter(|f| f.starts_with(&own) && !names.contains(f)) {
        if blessing {
            std::fs::remove_file(folder().join(&orphan)).unwrap();
        } else {
            panic!("{orphan}: no sample of this page; look at why, then RELAIS_BLESS=1");
        }
    }
}

/// What stands between `open` and `close`, each time.
fn each_between<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

/// The name of a type without its room and its lifetimes.
fn bare(name: &str) -> String {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit(':').next().unwrap_or(name).trim().to_owned()
}

/// The sources of pages: their path, and what they say.
fn sources() -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut folders = vec![root().join("src/web/pages")];
    while let Some(folder) = folders.pop() {
        for name in names_in(&folder) {
            let path = folder.join(name);
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("snapshots.rs") {
                let text = read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    out
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
const WITHOUT_ONCE: [&str; 10] = [
    "/connexion",
    "/demonstration/connexion",
    "/ouvrir",
    "/ouvrir/confirmer",
    "/quitter",
    "/deconnexion",
    "/affectation",
    // Their codes are good once.
    "/compte/mot-de-passe",
    "/compte/second-facteur",
    "/compte/second-facteur/confirmer",
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
fn every_page_is_checked_and_every_snapshot_is_of_a_page() {
    let (mut pages, mut checked, mut named) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for (path, text) in sources() {
        // Two pages may have one name in two files: each is known by its file and its own name.
        for page in each_between(&text, "\nimpl Page for ", " {") {
            count += 1;
            assert!(pages.insert((path.clone(), bare(page))), "{}: {page} twice", path.display());
        }
        for page in each_between(&text, "snapshots::check::<", ">()") {
            checked.insert((path.clone(), bare(page)));
        }
        for name in each_between(&text, "const NAME: &'static str = \"", "\"") {
            assert!(named.insert(name.to_owned()), "two pages have the snapshots of {name}");
        }
    }
    assert!(count > 90, "pages are not found in the sources any more");
    assert_eq!(pages, checked, "each page is checked, in a test beside it");
    assert_eq!(named.len(), count, "each page has a name of its own");
    let templates = names_in(&root().join("src/web/templates"));
    let whole: BTreeSet<String> = templates
        .iter()
        .map(|name| name.strip_suffix(".html").expect("templates end in .html"))
        .filter(|stem| !stem.starts_with('_'))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(whole, named, "each template that is no part is the page of its name");
    let kept: BTreeSet<String> =
        names_in(&folder()).iter().filter_map(|f| f.split('.').next()).map(ToOwned::to_owned).collect();
    assert_eq!(kept, named, "each snapshot is of a page, and each page has one");
}

#[test]
fn a_title_names_nobody() {
    // A title stays in the history of the browser after « Quitter vite ». In French nothing but its first word and a
    // name has a capital letter.
    for file in names_in(&folder()) {
        let html = read_to_string(folder().join(&file)).unwrap();
        let title =
            each_between(&html, "<title>", "</title>").next().unwrap_or_else(|| panic!("{file}: no title"));
        let title = title.strip_suffix(" · Relais").unwrap_or(title);
        let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
        let named = title.split_whitespace().skip(1).any(capital);
        let organisation = file.starts_with("structure.");
        assert!(!named || organisation, "{file}: « {title} » may name somebody");
    }
}

/// The classes that a stylesheet speaks of.
fn styled() -> BTreeSet<String> {
    let css = read_to_string(root().join("src/web/assets/relais.css")).unwrap();
    let mut selectors = String::new();
    for piece in css.split("/*").map(|p| p.split_once("*/").map_or(p, |(_, rest)| rest)) {
        selectors.push_str(piece);
    }
    // What stands between braces that hold none themselves is a declaration.
    let mut found = BTreeSet::new();
    for piece in selectors.split(['{', '}']) {
        let declares = piece.contains(';') || (piece.contains(": ") && !piece.contains("@media"));
        for class in piece.split('.').skip(1).filter(|_| !declares) {
            let end = class.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(class.len());
            let name = class.get(..end).unwrap_or_default();
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_class_of_a_page_is_styled_and_every_styled_class_is_on_a_page() {
    let mut used = BTreeSet::new();
    for file in names_in(&folder()) {
        let html = read_to_string(folder().join(&file)).unwrap();
        for list in each_between(&html, "class=\"", "\"") {
            used.extend(list.split_whitespace().map(ToOwned::to_owned));
        }
    }
    let script = read_to_string(root().join("src/web/assets/relais.js")).unwrap();
    used.extend(each_between(&script, "className = \"", "\"").map(ToOwned::to_owned));
    assert!(used.len() > 50, "classes are not found any more");
    assert_eq!(styled(), used, "the classes of relais.css, and those of the pages");
}
