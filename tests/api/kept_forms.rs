//! Leaving quickly and coming back: what was written is kept for its author; and the door of a demonstration.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use serde_json::Value;

use crate::callers_world::{BRUNO, World};
use crate::stories_world::*;
use crate::support::{Client, Reply, TestServer};

use crate::kept_rows::{IN_AREA, MARK};

const WAITS: &str = "Un texte non envoyé";

/// A person at a browser.
pub fn browser(story: &Story, login: &str) -> (Client, String) {
    // A one-time code is good once.
    story.server.advance(31);
    let reply = story.sign_in(login);
    assert_eq!(reply.status, 201);
    let cookie = format!("__Host-relais={}", reply.json().get("token").unwrap().as_str().unwrap());
    (page_client(story.server.client(), &cookie), cookie)
}

fn page_client(client: Client, cookie: &str) -> Client {
    client.with("Cookie", cookie).with("Sec-Fetch-Site", "same-origin")
}

pub fn send(client: &Client, path: &str, form: &str) -> Reply {
    let typed = client.clone().with("Content-Type", "application/x-www-form-urlencoded");
    typed.send("POST", path, Some(form.as_bytes()))
}

fn words(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).replace('\u{a0}', " ")
}

#[track_caller]
pub fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", words(reply));
    reply.header("location").unwrap().to_owned()
}

#[test]
fn a_form_sent_after_the_session_ended_is_kept_for_its_author_and_given_back() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Léo", "2014-05-04");
    let at = format!("/parcours/{pathway}/danger");
    let (nadia, _) = browser(&story, NADIA);
    assert_eq!(nadia.get(&at).status, 200);

    story.server.advance(31 * 60);
    let to = location(&send(&nadia, &at, "_once=k&to=crip&on=2027-01-12"));
    assert!(to.starts_with("/connexion?suite=%2Fparcours%2F") && to.ends_with("&fait=garde"), "{to}");
    let told = words(&story.server.client().get(&to));
    assert!(told.contains("Votre texte est gardé"), "{told}");
    let id = to.split("repris%3D").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let resume = format!("{at}?repris={id}");

    // Somebody else is neither offered nor given it, not even by its address.
    let (marc, _) = browser(&story, MARC);
    assert!(!words(&marc.get("/")).contains(WAITS));
    let marcs = marc.get(&resume);
    assert_ne!(marcs.status, 200);
    assert_eq!(marcs.body, marc.get("/parcours/aaaaaaaaaaaaaaaaaaaaaaaaaa/danger").body);

    let (nadia, _) = browser(&story, NADIA);
    let first = words(&nadia.get("/"));
    assert!(first.contains(WAITS) && first.contains(&resume), "{first}");
    let page = words(&nadia.get(&resume));
    assert!(page.contains("value=\"2027-01-12\"") && page.contains("value=\"crip\" selected"), "{page}");
    assert!(page.contains(&format!("name=\"_kept\" value=\"{id}\"")), "{page}");

    // Sent, it waits no longer.
    let form = format!("_once=l&_kept={id}&to=crip&on=2027-01-12");
    assert_eq!(location(&send(&nadia, &at, &form)), format!("{at}?fait=note"));
    assert!(!words(&nadia.get("/")).contains(WAITS));
}

#[test]
fn leaving_quickly_ends_the_session_and_keeps_what_was_written() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Léo", "2014-05-04");
    let (nadia, cookie) = browser(&story, NADIA);
    let from = format!("_from=%2Fparcours%2F{pathway}%2Fdanger&_once=k&to=crip&on=");
    let left = send(&nadia, "/quitter", &from);
    assert_eq!(location(&left), "/au-revoir");
    assert!(left.header("set-cookie").is_some_and(|c| c.contains("Max-Age=0")));
    let neutral = words(&story.server.client().get("/au-revoir"));
    assert!(!neutral.contains("Relais") && !neutral.contains("Nadia"), "{neutral}");
    // Going back leads to the sign-in page, whatever the browser still sends.
    let back = page_client(story.server.client(), &cookie).get(&format!("/parcours/{pathway}"));
    assert!(location(&back).starts_with("/connexion"));

    story.server.advance(60);
    let (nadia, _) = browser(&story, NADIA);
    let first = words(&nadia.get("/"));
    let id = first.split("/textes/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(location(&send(&nadia, &format!("/textes/{id}/jeter"), "")), "/?fait=jete");
    assert!(!words(&nadia.get("/")).contains(WAITS));
}

#[test]
fn threat_nothing_is_kept_for_an_unknown_token_nor_from_another_site() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Léo", "2014-05-04");
    let at = format!("/parcours/{pathway}/danger");
    let (_, cookie) = browser(&story, NADIA);
    story.server.advance(31 * 60);
    let form = "to=crip&on=2027-01-12";
    let stranger = format!("__Host-relais={}", "A".repeat(43));
    assert_eq!(location(&send(&page_client(story.server.client(), &stranger), &at, form)), "/connexion");
    let elsewhere = story.server.client().with("Cookie", &cookie).with("Sec-Fetch-Site", "cross-site");
    assert_ne!(send(&elsewhere, &at, form).status, 200);
    let (nadia, _) = browser(&story, NADIA);
    assert!(!words(&nadia.get("/")).contains(WAITS));
}

#[test]
fn threat_the_door_of_a_demonstration_does_not_exist_under_serve() {
    let server = TestServer::start();
    let client = server.client().with("Sec-Fetch-Site", "same-origin");
    let door = send(&client, "/demonstration/connexion", "login=nadia.benali");
    let unknown = send(&client, "/unknown", "login=nadia.benali");
    assert_eq!((door.status, &door.body), (404, &unknown.body));
    assert!(!words(&client.get("/connexion")).contains("démonstration"));
}

/// The address of a kept text, from where the form was sent to.
pub fn resume_of(to: &str) -> String {
    let suite = to.strip_prefix("/connexion?suite=").unwrap().strip_suffix("&fait=garde").unwrap();
    let mut out = Vec::new();
    let mut rest = suite.bytes();
    while let Some(b) = rest.next() {
        out.push(match b {
            b'%' => u8::from_str_radix(
                &[rest.next().unwrap(), rest.next().unwrap()].map(char::from).iter().collect::<String>(),
                16,
            )
            .unwrap(),
            plain => plain,
        });
    }
    String::from_utf8(out).unwrap()
}

pub fn words_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", words(reply));
    words(reply)
}

#[test]
fn what_an_auditor_or_a_manager_was_writing_is_kept_too() {
    let w = World::begin();
    let index = w.s.recorded("referent_pre", "create", "pathway", "permit")["index"].to_string();
    let deferral = w.s.act(NADIA, &w.at("deferrals"), w.deferral_body());
    let at = [
        (IRENE, format!("/controle/{index}/identite"), "reason", "/controle"),
        (IRENE, format!("/controle/{index}/examen"), "remark", "/controle"),
        (HELENE, format!("/responsable/decisions/{deferral}/report"), "motive", "/"),
    ];
    for (who, at, field, first) in at {
        let (client, _) = browser(&w.s, who);
        let from = format!("_from={}&{field}={MARK}", at.replace('/', "%2F"));
        assert_eq!(location(&send(&client, "/quitter", &from)), "/au-revoir");
        let (client, _) = browser(&w.s, who);
        // Whoever controls has no « Aujourd'hui »: the text waits on the first page of that work.
        let page = words_of(&client.get(first));
        let resume = format!("{at}?repris=");
        assert!(page.contains(WAITS) && page.contains(&resume), "{who}: {page}");
        let href = page.split("href=\"").find(|h| h.starts_with(&resume)).unwrap().split('"').next().unwrap();
        let page = words_of(&client.get(href));
        assert!(page.contains(IN_AREA) && page.contains("Voici votre texte."), "{at}: {page}");
    }
}

/// A second affectation of Nadia's, at Samira's: stated by who administers, confirmed by somebody else.
fn second_affectation(w: &World) -> String {
    let professional = w.s.read(NADIA, "/api/v1/me")["professional"].as_str().unwrap().to_owned();
    let id = w.s.act(ALICE, "/api/v1/assignments", w.assignment_body(&professional));
    w.s.act(BRUNO, &format!("/api/v1/assignments/{id}/confirmation"), Value::Null);
    id
}

/// The same browser under another affectation.
fn under(story: &Story, client: &Client, assignment: &str) -> Client {
    let chosen = send(client, "/affectation", &format!("assignment={assignment}"));
    assert_eq!(location(&chosen), "/");
    let cookie = chosen.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    page_client(story.server.client(), &cookie)
}

#[test]
fn a_form_of_another_affectation_is_not_sent_and_not_lost() {
    let w = World::begin();
    let first = w.s.own(NADIA)["id"].as_str().unwrap().to_owned();
    let second = second_affectation(&w);
    let (nadia, _) = browser(&w.s, NADIA);
    let nadia = under(&w.s, &nadia, &first);
    let at = format!("/parcours/{}/notes", w.p);
    assert!(words_of(&nadia.get(&at)).contains(&format!("name=\"_assignment\" value=\"{first}\"")));
    // Another window changes the affectation; then the form is sent.
    let other = under(&w.s, &nadia, &second);
    let sent = send(&other, &at, &format!("_once=k&_assignment={first}&text={MARK}"));
    let told = words(&sent);
    assert_eq!(sent.status, 409, "{told}");
    let said =
        "Ce formulaire a été ouvert sous une autre affectation. Rien n'est envoyé, votre texte est gardé";
    assert!(told.contains(said) && told.contains("href=\"/affectation\""), "{told}");
    // Here its page does not open: the list says why, and offers no way that ends in « Introuvable ».
    let list = words_of(&other.get("/"));
    assert!(
        list.contains("écrit sous une autre affectation : changez d'affectation pour le reprendre"),
        "{list}"
    );
    assert!(!list.contains("repris="), "{list}");
    let id = list.split("/textes/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let resume = format!("{at}?repris={id}");
    let page = other.get(&resume);
    assert_eq!(page.status, 409);
    assert!(words(&page).contains("Ce texte a été écrit sous une autre affectation."), "{}", words(&page));
    // A page that opens under both does not take it up either.
    let both = format!("/parcours/ouvrir?repris={id}");
    let opened = other.get(&both);
    assert_eq!(opened.status, 409, "{}", words(&opened));
    assert!(!words(&opened).contains(MARK));
    // To anybody else, that address is one that is not there.
    let (remi, _) = browser(&w.s, REMI);
    let absent = remi.get("/parcours/aaaaaaaaaaaaaaaaaaaaaaaaaa/notes");
    assert_eq!((remi.get(&resume).status, remi.get(&resume).body), (404, absent.body));
    // Back where it was written.
    let nadia = under(&w.s, &other, &first);
    assert!(words_of(&nadia.get("/")).contains(&resume));
    let page = words_of(&nadia.get(&resume));
    assert!(page.contains(IN_AREA) && page.contains("Voici votre texte."), "{page}");
    let form = format!("_once=l&_kept={id}&_assignment={first}&text={MARK}");
    assert_eq!(location(&send(&nadia, &at, &form)), format!("{at}?fait=enregistre"));
    assert!(!words_of(&nadia.get("/")).contains(WAITS));
    // A form that has no page to come back to: nothing is said to be kept.
    let other = under(&w.s, &nadia, &second);
    let sent =
        send(&other, "/compte/sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/fin", &format!("_assignment={first}"));
    assert_eq!(sent.status, 409);
    let told = words(&sent);
    assert!(
        told.contains("sous une autre affectation. Rien n'est envoyé.") && !told.contains("est gardé"),
        "{told}"
    );
}

#[test]
fn nothing_that_a_form_says_keeps_somebody_who_leaves_quickly() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Léo", "2014-05-04");
    let large = format!("_from=%2Fparcours%2F{pathway}%2Fnotes&text={}", "x".repeat(70_000));
    let many = "a=1&".repeat(401);
    for body in [large.as_str(), many.as_str(), "a=%FF", "_assignment=x"] {
        let (nadia, cookie) = browser(&story, NADIA);
        let left = send(&nadia, "/quitter", body);
        assert_eq!(location(&left), "/au-revoir");
        assert!(left.header("set-cookie").is_some_and(|c| c.contains("Max-Age=0")));
        let back = page_client(story.server.client(), &cookie).get("/");
        assert!(location(&back).starts_with("/connexion"), "the session goes on");
    }
    // From another site it is still no form of ours.
    let (nadia, cookie) = browser(&story, NADIA);
    let elsewhere = story.server.client().with("Cookie", &cookie).with("Sec-Fetch-Site", "cross-site");
    assert_eq!(send(&elsewhere, "/quitter", "").status, 403);
    assert_eq!(nadia.get("/").status, 200);
}

#[test]
fn another_form_of_the_page_does_not_use_up_the_text() {
    let story = Story::begin();
    let pathway = story.open(NADIA, "Léo", "2014-05-04");
    let at = format!("/parcours/{pathway}/personne");
    let (nadia, _) = browser(&story, NADIA);
    let from = format!("_from={}&identity.first_name={MARK}", at.replace('/', "%2F"));
    assert_eq!(location(&send(&nadia, "/quitter", &from)), "/au-revoir");
    let (nadia, _) = browser(&story, NADIA);
    let first = words_of(&nadia.get("/"));
    let id = first.split("/textes/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let holder = format!("_once=h&_kept={id}&capacity=parent&name=Karima&from=2014-05-04");
    assert_eq!(
        location(&send(&nadia, &format!("{at}/titulaires"), &holder)),
        format!("{at}?fait=enregistre")
    );
    assert!(words_of(&nadia.get("/")).contains(WAITS));
}
