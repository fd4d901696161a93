//! Leaving quickly and coming back: what was written is kept for its author; and the door of a demonstration.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::collections::BTreeSet;

use relais::clock::Clock;
use relais::web::route::Method;
use relais::web::routes;
use serde_json::{Value, json};

use crate::callers_world::{BRUNO, World};
use crate::stories_world::*;
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
    String::from_utf8_lossy(&reply.body).replace('\u{a0}', " ")
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

/// The address of a kept text, from where the form was sent to.
fn resume_of(to: &str) -> String {
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

/// What one form says, where, and what its page shows when it is taken up again.
struct Written {
    path: &'static str,
    /// What stands in the place of the ids of the address, and after it.
    at: String,
    who: &'static str,
    form: String,
    shown: &'static str,
}

const MARK: &str = "Un+mot+marqu%C3%A9";
const IN_AREA: &str = "Un mot marqué</textarea>";
const IN_LINE: &str = "value=\"Un mot marqué\"";
const IN_DAY: &str = "value=\"2027-02-03\"";

const RATED: &str = "/parcours/{pathway}/passages/{handover}";

/// Rows whose form has nothing to keep. This list may only shrink.
const NOTHING_WRITTEN: [(&str, &str); 8] = [
    ("/parcours/{pathway}/cercle/{place}/fin", "a button; what it ends is named by its address"),
    ("/parcours/{pathway}/partages/{share}/fin", "a button; what it ends is named by its address"),
    (
        "/parcours/{pathway}/partages/{share}/ajouter",
        "a button; what is joined is shown before it is pressed",
    ),
    ("/parcours/{pathway}/actions/{item}/abandonner", "a button; the action is named by its address"),
    (
        "/parcours/{pathway}/consultations/reports/{deferral}/fin",
        "a button; the line is named by its address",
    ),
    ("/parcours/{pathway}/validations/preparer", "a button; the words and who reads them are in its address"),
    ("/parcours/{pathway}/validations/{release}/feuille", "a button that prints"),
    ("/parcours/{pathway}/accords/{accord}/feuille", "a button that prints"),
];

fn written(w: &World) -> Vec<Written> {
    let p = &w.p;
    let one = |path: &'static str, rest: &str, form: String, shown: &'static str| Written {
        path,
        at: format!("/parcours/{p}{rest}"),
        who: NADIA,
        form,
        shown,
    };
    let words = |field: &str| format!("{field}={MARK}");
    let s = &w.s;
    let note = s.act(NADIA, &w.at("notes"), json!({ "text": "Une note." }));
    let draft = w.draft();
    let release = w.release();
    s.act(
        ANNE,
        &w.at(&format!("participations/{}/successor", w.claire)),
        json!({ "assignment": s.own(DAVID)["id"], "last_day": s.day(21) }),
    );
    w.handover_accord();
    let handover = w.handover();
    s.get(SAMIRA, &format!("/api/v1/items/{}?purpose=coordination", w.school.item));
    let seen = words_of(&s.of(NADIA).get(&format!("/parcours/{p}/consultations")));
    let line = seen.split("/consultations/reporter?").nth(1).unwrap().split('"').next().unwrap();
    let line = line.replace("&amp;", "&").replace("&#38;", "&");
    let structure = s.own(SAMIRA)["organisation"].as_str().unwrap().to_owned();
    let item = &w.school.item;
    vec![
        Written {
            at: "/parcours/ouvrir".to_owned(),
            ..one("/parcours/ouvrir", "", words("person.identity.first_name"), IN_LINE)
        },
        one("/parcours/{pathway}/protection", "/protection", words("necessity"), IN_AREA),
        one(
            "/parcours/{pathway}/inviter",
            &format!("/inviter?structure={structure}"),
            "until=2027-02-03".to_owned(),
            IN_DAY,
        ),
        one("/parcours/{pathway}/danger", "/danger", "on=2027-02-03".to_owned(), IN_DAY),
        one("/parcours/{pathway}/actions", "/actions", words("what"), IN_LINE),
        one(
            "/parcours/{pathway}/ecrire",
            "/ecrire",
            format!("content.category=schooling&{}", words("label")),
            IN_LINE,
        ),
        one(
            "/parcours/{pathway}/informations/{item}/corriger",
            &format!("/informations/{item}/corriger"),
            words("label"),
            IN_LINE,
        ),
        one("/parcours/{pathway}/notes", "/notes", words("text"), IN_AREA),
        one("/parcours/{pathway}/notes/{note}", &format!("/notes/{note}"), words("text"), IN_AREA),
        one("/parcours/{pathway}/cercle/referent", "/cercle/referent", words("preference.wish"), IN_AREA),
        Written {
            who: CLAIRE,
            ..one(
                "/parcours/{pathway}/cercle/remplacements/{succession}",
                &format!("/cercle/remplacements/{}", w.succession("id")),
                "asked_by=family".to_owned(),
                "value=\"family\" checked",
            )
        },
        one(
            "/parcours/{pathway}/accords/preparer",
            "/accords/preparer",
            "purpose=schooling".to_owned(),
            "value=\"schooling\" checked",
        ),
        one(
            "/parcours/{pathway}/accords/{accord}/signer",
            &format!("/accords/{draft}/signer"),
            words("how.original_at"),
            IN_LINE,
        ),
        one(
            "/parcours/{pathway}/validations/{release}/signer",
            &format!("/validations/{release}/signer"),
            words("how.original_at"),
            IN_LINE,
        ),
        one("/parcours/{pathway}/impossible-a-joindre", "/impossible-a-joindre", words("statement"), IN_AREA),
        one(
            "/parcours/{pathway}/consultations/reporter",
            &format!("/consultations/reporter?{line}"),
            words("statement"),
            IN_AREA,
        ),
        one(
            "/parcours/{pathway}/retrait",
            "/retrait",
            "by=parent&scope=subject&category=schooling&channel=letter".to_owned(),
            "value=\"schooling\" selected",
        ),
        one("/parcours/{pathway}/personne", "/personne", words("identity.first_name"), IN_LINE),
        one(
            "/parcours/{pathway}/personne/titulaires/{holder}/fin",
            &format!("/personne/titulaires/{}/fin", w.father),
            "last_day=2027-02-03".to_owned(),
            IN_DAY,
        ),
        one("/parcours/{pathway}/bilan", "/bilan", "review_on=2027-02-03".to_owned(), IN_DAY),
        one("/parcours/{pathway}/clore", "/clore", words("words"), IN_AREA),
        one(
            "/parcours/{pathway}/partager",
            "/partager",
            "purpose=schooling&last_day=2027-02-03".to_owned(),
            "value=\"schooling\" selected",
        ),
        one(
            "/parcours/{pathway}/partager/apercu",
            "/partager/apercu",
            "purpose=schooling&last_day=2027-02-03".to_owned(),
            "value=\"schooling\" selected",
        ),
        one(
            "/parcours/{pathway}/puis-je-le-dire",
            "/puis-je-le-dire",
            format!("recipient={}&category=schooling&purpose=coordination&on=2027-02-03", w.samira),
            IN_DAY,
        ),
        Written {
            who: SAMIRA,
            ..one(
                "/parcours/{pathway}/passages/nouveau",
                "/passages/nouveau",
                format!("incoming={}&items[]={item}&last_day=2027-02-03", w.nadia),
                IN_DAY,
            )
        },
        Written { who: SAMIRA, ..one("/parcours/{pathway}/urgence", "/urgence", words("motive"), IN_AREA) },
        // Last: once the handover is complete, Samira only brings.
        one(
            RATED,
            &format!("/passages/{handover}"),
            "_button=rate&started_again=partly".to_owned(),
            "value=\"partly\" checked",
        ),
    ]
}

/// The handover that was proposed, to its end.
fn hand_over(w: &World) {
    w.s.go(w.s.server.clock.now().plus_seconds(31));
    let at = w.at(&format!("handovers/{}", w.handover()));
    for (who, step) in [(NADIA, "acceptance"), (NADIA, "confirmation"), (SAMIRA, "confirmation")] {
        w.s.act(who, &format!("{at}/{step}"), Value::Null);
    }
}

fn words_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", words(reply));
    words(reply)
}

/// Every page of a pathway that has a form of its own: what was written when the session ended stands in it again, and
/// the page says so. What this walk does not know, it asks for.
#[test]
fn a_text_left_on_any_page_of_a_pathway_comes_back_into_it() {
    let w = World::begin();
    let all = written(&w);
    let routes: Vec<_> = routes::all();
    let known: BTreeSet<&str> =
        all.iter().map(|one| one.path).chain(NOTHING_WRITTEN.map(|(path, _)| path)).collect();
    let mut walked = BTreeSet::new();
    for route in routes.iter().filter(|r| r.method == Method::Post && r.path.starts_with("/parcours/")) {
        if routes.iter().any(|r| r.method == Method::Get && r.path == route.path) {
            assert!(
                known.contains(route.path),
                "{}: what is written there, and where does it come back?",
                route.path
            );
            walked.insert(route.path);
        }
    }
    assert_eq!(walked, known, "a row that is no more");
    for one in &all {
        if one.path == RATED {
            hand_over(&w);
        }
        let (client, _) = browser(&w.s, one.who);
        assert_eq!(client.get(&one.at).status, 200, "{}", one.at);
        assert_eq!(location(&send(&client, "/quitter", "")), "/au-revoir");
        let to = location(&send(&client, &one.at, &one.form));
        assert!(to.ends_with("&fait=garde"), "{}: {to}", one.at);
        let resume = resume_of(&to);
        let (client, _) = browser(&w.s, one.who);
        let page = words_of(&client.get(&resume));
        // A sentence has a box of several lines, where what was written stands between tags.
        let between = one.shown.replace("value=\"", ">").trim_end_matches('"').to_owned() + "</textarea>";
        let back = page.contains(one.shown) || page.contains(&between);
        assert!(back, "{}: {} is not in {page}", one.path, one.shown);
        assert!(page.contains("Voici votre texte. Il n'est pas encore enregistré."), "{}: {page}", one.path);
        assert!(page.contains("name=\"_kept\" value=\""), "{}", one.path);
    }
    // Where nothing is written, nothing is said to be kept.
    let (client, _) = browser(&w.s, NADIA);
    assert_eq!(location(&send(&client, "/quitter", "")), "/au-revoir");
    for (path, _) in NOTHING_WRITTEN {
        let filled = |part: &str| match part {
            "{pathway}" => w.p.clone(),
            part if part.starts_with('{') => "a".repeat(26),
            part => part.to_owned(),
        };
        let at = path.split('/').map(filled).collect::<Vec<_>>().join("/");
        assert_eq!(location(&send(&client, &at, "version=x")), "/connexion", "{path}");
    }
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
