//! Every page, asked by whoever should not: the same refusals as the API, as people see them.
//!
//! Right callers click through the pages in a real browser (`tests/browser`); here stand those who may not.

use std::collections::BTreeSet;

use relais::web::route::{Door, Face, Method, Route};
use relais::web::routes;

use super::stories_world::*;
use crate::support::{Client, Reply};

const NEVER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

fn pages() -> Vec<Route> {
    routes::all().into_iter().filter(|r| r.face() == Face::Page).collect()
}

/// The address of a page: this pathway, and ids of nothing for the rest.
fn address(route: &Route, pathway: &str) -> String {
    let filled = |part: &str| match part {
        "{pathway}" => pathway.to_owned(),
        part if part.starts_with('{') => NEVER.to_owned(),
        part => part.to_owned(),
    };
    route.path.split('/').map(filled).collect::<Vec<_>>().join("/")
}

fn ask(client: &Client, route: &Route, path: &str) -> Reply {
    match route.method {
        Method::Get => client.get(path),
        Method::Post | Method::Put | Method::Delete => from_ours(client).send("POST", path, Some(b"")),
    }
}

/// A form of our own pages.
fn from_ours(client: &Client) -> Client {
    client
        .clone()
        .with("Sec-Fetch-Site", "same-origin")
        .with("Content-Type", "application/x-www-form-urlencoded")
}

fn shown(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let own = ["date", "relais-request"];
    let headers = reply.headers.iter().filter(|(n, _)| !own.contains(&n.as_str()));
    (reply.status, headers.map(|(n, v)| (n.clone(), v.clone())).collect(), reply.body.clone())
}

#[test]
fn without_a_session_every_page_leads_to_the_sign_in() {
    let story = Story::begin();
    let plain = story.server.client();
    for route in pages().iter().filter(|r| r.door == Door::Session) {
        let reply = ask(&plain, route, &address(route, NEVER));
        let at = format!("{} {}", route.method.name(), route.path);
        assert_eq!(reply.status, 303, "{at}");
        assert!(reply.header("location").unwrap().starts_with("/connexion"), "{at}");
        assert!(reply.body.is_empty(), "{at}");
    }
}

#[test]
fn who_has_no_place_cannot_tell_a_pathway_from_none_on_any_page() {
    let story = Story::begin();
    let listed = story.of(NADIA).get("/api/v1/pathways").json();
    let pathway = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    let mut unlike = BTreeSet::new();
    for who in [REMI, IRENE, ALICE] {
        let client = story.of(who);
        for route in pages().iter().filter(|r| r.path.contains("{pathway}")) {
            let real = shown(&ask(&client, route, &address(route, &pathway)));
            let never = shown(&ask(&client, route, &address(route, NEVER)));
            let at = format!("{who}: {} {}", route.method.name(), route.path);
            if real != never {
                wrong.push(format!("{at}: {} and {}", real.0, never.0));
            }
            // A form that says nothing may be refused for what it says, as long as it is for every pathway alike.
            if real.0 >= 500 || real.0 < 400 {
                wrong.push(format!("{at}: {}", real.0));
            }
            if real.0 == 404 {
                unlike.insert(real);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unlike.len() <= 1, "there are {} kinds of 404", unlike.len());
}

#[test]
fn threat_csrf_a_form_of_another_site_does_nothing_on_any_page() {
    let story = Story::begin();
    let token = story.sign_in(NADIA).json()["token"].as_str().unwrap().to_owned();
    let client = story.server.client().with("Cookie", &format!("__Host-relais={token}"));
    for route in pages().iter().filter(|r| r.method == Method::Post) {
        let at = format!("{} {}", route.method.name(), route.path);
        for (header, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
            let form =
                client.clone().with(header, value).with("Content-Type", "application/x-www-form-urlencoded");
            assert_eq!(form.send("POST", &address(route, NEVER), Some(b"a=b")).status, 403, "{at} {header}");
        }
        let none = client.clone().with("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(none.send("POST", &address(route, NEVER), Some(b"a=b")).status, 403, "{at}");
    }
    // The session is still there: nothing of it signed out.
    assert_eq!(client.get("/api/v1/me").status, 200);
}

#[test]
fn pages_may_load_only_what_we_serve_and_are_never_kept() {
    let story = Story::begin();
    let nadia = story.of(NADIA);
    let page = nadia.get("/");
    assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{part}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let html = String::from_utf8(page.body).unwrap();
    let style = html.split('"').find(|p| p.ends_with("relais.css")).unwrap();
    let asset = story.server.client().get(style);
    assert_eq!(asset.status, 200);
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert!(!String::from_utf8(asset.body).unwrap().contains("data:"));
    let other = style.replace("/assets/", "/assets/0");
    assert_eq!(story.server.client().get(&other).status, 404);
}

#[test]
fn the_door_of_a_demonstration_is_shut_where_nobody_opened_it() {
    let story = Story::begin();
    let plain = from_ours(&story.server.client());
    let knocked = plain.send("POST", "/demonstration/connexion", Some(b"login=nadia.benali"));
    let unknown = plain.send("POST", "/nulle-part", Some(b"login=nadia.benali"));
    assert_eq!(knocked.status, 404);
    assert_eq!(shown(&knocked), shown(&unknown));
    let page = story.server.client().get("/connexion");
    assert!(!String::from_utf8(page.body).unwrap().contains("Nadia"));
}

#[test]
fn every_page_leaves_its_record() {
    let story = Story::begin();
    let nadia = story.of(NADIA);
    let listed = nadia.get("/api/v1/pathways").json();
    let pathway = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let mut asked = Vec::new();
    for route in pages().iter().filter(|r| r.door == Door::Session && r.method == Method::Get) {
        let reply = nadia.get(&address(route, &pathway));
        asked.push((
            reply.header("relais-request").unwrap().to_owned(),
            format!("{} {}", reply.status, route.path),
        ));
    }
    let recorded = records_by_request(&story);
    let missing: Vec<_> = asked.iter().filter(|(id, _)| !recorded.contains_key(id)).collect();
    assert!(missing.is_empty(), "no record of {missing:#?}");
}

#[test]
fn the_title_of_a_page_names_nobody() {
    // A title stays in the history of the browser after « Quitter vite ».
    let story = Story::begin();
    let pathway = story.open(NADIA, "Lina", "2010-04-20");
    let nadia = story.of(NADIA);
    let mut seen = 0;
    let mut wrong = Vec::new();
    for route in pages().iter().filter(|r| r.path.contains("{pathway}") && r.method == Method::Get) {
        let reply = ask(&nadia, route, &address(route, &pathway));
        let html = text(&reply);
        if reply.status != 200 || !html.contains("<title>") {
            continue;
        }
        seen += usize::from(html.contains("Lina"));
        let title = html.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        if title.contains("Lina") {
            wrong.push(format!("{}: {title}", route.path));
        }
    }
    assert!(seen > 15, "only {seen} pages name her in their head");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_correction_that_was_overtaken_shows_both_versions_whatever_else_is_wrong_with_it() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Lina", "2010-04-20");
    let item = story.fact(NADIA, &pathway, "schooling", "Vient le lundi");
    let nadia = story.of(NADIA);
    let at = format!("/api/v1/items/{}", item.item);
    let tag = nadia.get(&at).header("etag").unwrap().to_owned();
    let other = serde_json::json!({
        "label": "Un fait", "valid_until": null,
        "content": { "category": "schooling", "fact": "Vient le mardi", "source": "observed" },
    });
    let corrected = nadia.clone().with("If-Match", &tag).post(&format!("{at}/versions"), &other);
    assert_eq!(corrected.status, 201, "{}", text(&corrected));
    // Written on the first version, and refused for its empty label: what comes back must not carry the second version
    // silently, or the next press would write over it.
    let page = format!("/parcours/{pathway}/informations/{}/corriger", item.item);
    let form = b"version:int=1&label=&content.category=schooling&content.fact=Vient+le+jeudi&content.source=observed";
    let refused = from_ours(&nadia).send("POST", &page, Some(form));
    assert_eq!(refused.status, 422);
    let html = text(&refused);
    assert!(
        html.contains("Ce qui est enregistr\u{e9} maintenant") && html.contains("Vient le mardi"),
        "{html}"
    );
    assert!(html.contains("Vient le jeudi"), "what was written is kept");
    // Written on the version of now: nothing to compare.
    let form = b"version:int=2&label=&content.category=schooling&content.fact=Vient+le+jeudi&content.source=observed";
    let refused = from_ours(&nadia).send("POST", &page, Some(form));
    assert!(!text(&refused).contains("Ce qui est enregistr\u{e9} maintenant"));
}
