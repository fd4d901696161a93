//! Leaving quickly and coming back: what was written is kept for its author; and the door of a demonstration.

use crate::stories_world::{MARC, NADIA, Story};
use crate::support::{Client, Reply, TestServer};

const WAITS: &str = "Un texte non envoyé";

/// A person at a browser.
fn browser(story: &Story, login: &str) -> (Client, String) {
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

fn send(client: &Client, path: &str, form: &str) -> Reply {
    let typed = client.clone().with("Content-Type", "application/x-www-form-urlencoded");
    typed.send("POST", path, Some(form.as_bytes()))
}

fn words(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

#[track_caller]
fn location(reply: &Reply) -> String {
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
