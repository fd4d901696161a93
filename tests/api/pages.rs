//! Every page, asked by whoever should not: the same refusals as the API, as people see them.
//!
//! Right callers click through the pages in a real browser (`tests/browser`); here stand those who may not.

use std::collections::BTreeSet;

use relais::web::route::{Door, Face, Method, Route};
use relais::web::routes;

use super::callers_world::{LUC, World};
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
    // Nothing else wrong with it: what to do is said once, and it is not to load the page again.
    let form = b"version:int=1&label=Un+fait&content.category=schooling&content.fact=Vient+le+jeudi&content.source=observed";
    let refused = from_ours(&nadia).send("POST", &page, Some(form));
    assert_eq!(refused.status, 409);
    let html = text(&refused);
    assert!(html.contains(COMPARE) && !html.contains("rechargez"), "{html}");
    assert!(html.contains("Vient le mardi") && html.contains("Vient le jeudi"), "{html}");
}

const COMPARE: &str = "Quelqu&#39;un a corrig\u{e9} avant vous : comparez, puis enregistrez ou annulez.";

fn pressed(client: &Client, path: &str, form: &str) -> Reply {
    from_ours(client).send("POST", path, Some(form.as_bytes()))
}

#[track_caller]
fn went_to(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", text(reply));
    reply.header("location").unwrap().to_owned()
}

#[test]
fn a_structure_that_was_corrected_meanwhile_stands_beside_what_was_written() {
    let story = Story::begin();
    let alice = story.of(ALICE);
    let body = serde_json::json!({
        "code": "structure-neuve", "name": "Une structure", "kind": "association", "territory": "Val-d'Orme",
        "telephone": "0102030499", "missions": [{ "code": "accueil", "title": "Accueil" }],
    });
    let id = story.act(ALICE, "/api/v1/organisations", body);
    let at = format!("/structures/{id}");
    let form = |version: u8, name: &str| {
        format!(
            "version:int={version}&organisation.code=structure-neuve&organisation.kind=association&organisation.name={name}\
             &organisation.territory=Ailleurs&organisation.telephone=0102030499\
             &organisation.missions[0].code=accueil&organisation.missions[0].title=Accueil"
        )
    };
    assert_eq!(went_to(&pressed(&alice, &at, &form(1, "Premier"))), format!("{at}?fait=enregistre"));
    let late = pressed(&alice, &at, &form(1, "Second"));
    assert_eq!(late.status, 409);
    let html = text(&late);
    assert!(
        html.contains("Ce qui est enregistr\u{e9} maintenant") && html.contains("<dd>Premier</dd>"),
        "{html}"
    );
    assert!(html.contains("value=\"Second\"") && html.contains("name=\"version:int\" value=\"2\""), "{html}");
    assert!(html.contains(COMPARE), "{html}");
    // Compared, and pressed again.
    assert_eq!(went_to(&pressed(&alice, &at, &form(2, "Second"))), format!("{at}?fait=enregistre"));
    assert!(text(&alice.get(&at)).contains("<h1>Second</h1>"));
}

#[test]
fn an_identity_that_was_corrected_meanwhile_is_not_written_over_unseen() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Lina", "2010-04-20");
    let nadia = story.of(NADIA);
    let at = format!("/parcours/{pathway}/personne");
    let form = |version: u8, number: &str| {
        format!(
            "version:int={version}&identity.first_name=Lina&identity.name=Carpentier&birth_date=2010-04-20\
             &identity.contacts[0].kind=parent&identity.contacts[0].who=Karima&identity.contacts[0].number={number}\
             &given_by_young_person:bool=false"
        )
    };
    assert!(text(&nadia.get(&at)).contains("name=\"version:int\" value=\"1\""));
    assert_eq!(went_to(&pressed(&nadia, &at, &form(1, "0611223301"))), format!("{at}?fait=enregistre"));
    let late = pressed(&nadia, &at, &form(1, "0611223302"));
    assert_eq!(late.status, 409);
    let html = text(&late);
    assert!(html.contains("Ce qui est enregistré maintenant") && html.contains("06 11 22 33 01"), "{html}");
    assert!(
        html.contains("value=\"0611223302\"") && html.contains("name=\"version:int\" value=\"2\""),
        "{html}"
    );
    assert!(html.contains(COMPARE), "{html}");
    // A program is told the same, and finds the version where it reads the person.
    let seen = story.read(NADIA, &format!("/api/v1/pathways/{pathway}"));
    assert_eq!(seen.get("person_version").and_then(serde_json::Value::as_i64), Some(2));
    let body = serde_json::json!({
        "version": 1, "identity": { "first_name": "Lina", "name": "Autre" }, "birth_date": null,
        "given_by_young_person": false,
    });
    assert_eq!(story.refused(NADIA, &format!("/api/v1/pathways/{pathway}/identity"), body), "conflict");
    assert_eq!(went_to(&pressed(&nadia, &at, &form(2, "0611223302"))), format!("{at}?fait=enregistre"));
}

#[test]
fn a_button_pressed_twice_without_a_script_is_answered_twice_alike() {
    let w = World::begin();
    let edition = w.edition();
    let hash = |name: &str| edition.get(name).unwrap().as_str().unwrap().to_owned();
    let signed = format!("text_hash={}&policy_hash={}&ahead=true", hash("text_hash"), hash("policy_hash"));
    let (helene, _) = w.fresh(HELENE);
    let (luc, _) = w.fresh(LUC);
    let (first, second) = (w.opened().0, w.opened().0);
    let (nadia, _) = w.fresh(NADIA);
    let sessions = w.fresh(NADIA).0.get("/api/v1/me/sessions").json();
    let current = sessions["items"].as_array().unwrap().iter().find(|i| i["current"] == true).unwrap();
    let current = current["id"].as_str().unwrap();
    let (marc, _) = w.fresh(MARC);
    let from = "_from=%2Fparcours%2Fouvrir&person.nickname=Zed";
    assert_eq!(went_to(&pressed(&marc, "/quitter", from)), "/au-revoir");
    let (marc, _) = w.fresh(MARC);
    let html = text(&marc.get("/"));
    let kept = html.split("/textes/").nth(1).unwrap().split('/').next().unwrap();
    let twice = [
        (&helene, "/charte/signer-pour-la-structure".to_owned(), signed.as_str()),
        (&luc, format!("/compte/reconnaitre/{first}"), ""),
        (&luc, format!("/structures/personnes/{second}/reconnaitre"), ""),
        (&nadia, format!("/compte/sessions/{current}/fin"), ""),
        (&marc, format!("/textes/{kept}/jeter"), ""),
    ];
    for (client, path, form) in twice {
        let form = format!("_once=press-{}&{form}", w.number());
        let once = went_to(&pressed(client, &path, &form));
        let again = pressed(client, &path, &form);
        assert_eq!(
            (again.status, again.header("location")),
            (303, Some(once.as_str())),
            "{path}: {}",
            text(&again)
        );
    }
}

#[test]
fn a_page_that_asks_to_wait_says_how_long_in_its_header_too() {
    let story = Story::begin();
    let client = story.server.client();
    let waits = |reply: &Reply| {
        let seconds: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=300).contains(&seconds));
    };
    let wrong = "login=nadia.benali&password=un+mot+de+passe+faux&code=000000";
    let tried: Vec<Reply> = (0..6).map(|_| pressed(&client, "/connexion", wrong)).collect();
    assert_eq!(tried[0].status, 422);
    let last = tried.last().unwrap();
    assert_eq!(last.status, 429, "{}", text(last));
    waits(last);
    let marc = story.of(MARC);
    let wrong = "password=un+mot+de+passe+faux&code=000000&new_password=une+phrase+longue+et+rare\
                 &new_password_again=une+phrase+longue+et+rare";
    let tried: Vec<Reply> = (0..6).map(|_| pressed(&marc, "/compte/mot-de-passe", wrong)).collect();
    let last = tried.last().unwrap();
    assert_eq!(last.status, 429, "{}", text(last));
    waits(last);
    // A first connection: a code that opens nothing, then the six digits after it.
    for (path, form) in [
        (
            "/ouvrir",
            "code=abcd-efgh&password=une+phrase+longue+et+rare&password_again=une+phrase+longue+et+rare",
        ),
        ("/ouvrir/confirmer", "code=abcd-efgh&ticket=faux&totp=000000"),
    ] {
        let other = Story::begin();
        let client = other.server.client();
        let tried: Vec<Reply> = (0..30).map(|_| pressed(&client, path, form)).collect();
        assert_eq!(tried[0].status, 422, "{path}: {}", text(&tried[0]));
        let last = tried.last().unwrap();
        assert_eq!(last.status, 429, "{path}: {}", text(last));
        waits(last);
    }
}

#[test]
fn a_missing_group_is_told_at_its_first_field() {
    let story = Story::begin();
    let nadia = story.of(NADIA);
    let missing = pressed(&nadia, "/parcours/ouvrir?surnom=oui", "person.nickname=+");
    assert_eq!(missing.status, 422);
    let html = text(&missing);
    assert!(html.contains("<a href=\"#f-person.nickname\">Surnom : remplissez ce champ.</a>"), "{html}");
}

#[test]
fn a_rule_about_a_field_is_told_at_the_field_and_in_the_summary() {
    let w = World::begin();
    let draft = w.draft();
    let (nadia, _) = w.fresh(NADIA);
    let form =
        format!("by={}&how.mode=paper&how.original_at=Classeur&verified=known&on=2020-01-01", w.mother);
    let refused = pressed(&nadia, &format!("/parcours/{}/accords/{draft}/signer", w.p), &form);
    assert_eq!(refused.status, 422);
    let html = text(&refused);
    assert!(html.contains("<a href=\"#f-on\">") && html.contains("id=\"e-on\""), "{html}");
    let deferral = w.s.act(NADIA, &w.at("deferrals"), w.deferral_body());
    let (helene, _) = w.fresh(HELENE);
    let at = format!("/responsable/decisions/{deferral}/report");
    let refused = pressed(&helene, &at, "accepted:bool=true&motive=Vu+le+danger");
    assert_eq!(refused.status, 422);
    let html = text(&refused);
    assert!(html.contains("<a href=\"#f-until\">") && html.contains("id=\"e-until\""), "{html}");
    // As a program reads it.
    let body = serde_json::json!({ "accepted": true, "until": null, "motive": "Vu le danger." });
    let told = helene.post(&format!("/api/v1/deferrals/{deferral}/decisions"), &body).json();
    assert_eq!(told["errors"][0]["path"], "until", "{told}");
}
