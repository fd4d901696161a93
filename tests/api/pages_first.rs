//! The first days of somebody new, and the pages of who administers, by the pages alone: what waits is said, what one may
//! not do is not offered, and nobody is sent in a circle.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use relais::clock::Clock;
use relais::crypto::totp::{self, TotpSecret};
use relais::domain::text::fold;
use serde_json::{Value, json};

use super::stories_world::*;
use crate::support::{Client, Reply};

const BRUNO: &str = "bruno.carre";
const PASSWORD: &str = "ligne carotte virage ombrelle";

#[track_caller]
fn page(client: &Client, address: &str) -> String {
    let reply = client.get(address);
    assert_eq!(reply.status, 200, "{address}: {}", text(&reply));
    text(&reply)
}

fn form(client: &Client, address: &str, fields: &[(&str, &str)]) -> Reply {
    let encoded = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v))).collect();
    client
        .clone()
        .with("Sec-Fetch-Site", "same-origin")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .send("POST", address, Some(body.join("&").as_bytes()))
}

/// Somebody new: the id, and the session in which the account was opened.
struct New {
    id: String,
    client: Client,
}

fn invited(s: &Story, login: &str, name: &str) -> (String, String) {
    let body = json!({ "login": login, "name": name, "telephone": "0601020397" });
    let reply = s.post(ALICE, "/api/v1/professionals", body).json();
    (reply["id"].as_str().unwrap().to_owned(), reply["code"].as_str().unwrap().to_owned())
}

fn opened(s: &Story, login: &str, name: &str) -> New {
    let (id, code) = invited(s, login, name);
    let plain = s.server.client();
    let first = plain.post("/api/v1/accounts/open", &json!({ "code": code, "password": PASSWORD })).json();
    let secret = TotpSecret::from_base32(first["totp_secret"].as_str().unwrap()).unwrap();
    let now = totp::code(&secret, s.server.clock.now()).unwrap();
    let body = json!({ "code": code, "ticket": first["ticket"], "totp": now.as_str() });
    let session = plain.post("/api/v1/accounts/open/confirm", &body).json();
    New { id, client: plain.bearer(session["token"].as_str().unwrap()) }
}

fn assignment(professional: &str, organisation: &Value, mission: &Value, function: &str) -> Value {
    json!({
        "professional": professional, "organisation": organisation, "mission": mission,
        "profession": "specialised_prevention", "function": function, "secrecy": "bound",
        "secrecy_basis": "casf_l221_6",
    })
}

#[test]
fn somebody_new_is_told_what_is_awaited_until_there_is_work_and_refused_nothing() {
    let s = Story::begin();
    let new = opened(&s, "nouvelle.venue", "Zoé Nouvelle");
    let lost = |at: &str| {
        for address in ["/", "/parcours"] {
            let reply = new.client.get(address);
            assert_eq!(
                (reply.status, reply.header("location")),
                (303, Some("/affectation")),
                "{at} {address}"
            );
        }
        page(&new.client, "/affectation")
    };
    let html = lost("nothing stated");
    assert!(html.contains("aucune affectation en cours"), "{html}");
    assert!(html.contains("href=\"/compte\"") && html.contains("action=\"/deconnexion\""), "{html}");
    let own = s.own(SAMIRA);
    let body = assignment(&new.id, &own["organisation"], &own["mission"], "practitioner");
    let stated = s.act(ALICE, "/api/v1/assignments", body);
    let html = lost("stated");
    assert!(html.contains("attend une seconde confirmation"), "{html}");
    assert!(html.contains("href=\"tel:0102030402\""), "whom to call: {html}");
    assert!(!html.contains("Alice") && !html.contains("Samira"), "nobody has recognised who reads this");
    s.act(BRUNO, &format!("/api/v1/assignments/{stated}/confirmation"), Value::Null);
    assert!(lost("confirmed").contains("attend que votre compte soit reconnu"));
    s.act(SAMIRA, &format!("/api/v1/professionals/{}/recognition", new.id), Value::Null);
    let html = page(&new.client, "/affectation");
    assert!(html.contains("Sous quelle affectation"), "{html}");
    let chosen = new.client.post("/api/v1/sessions/assignment", &json!({ "assignment": stated })).json();
    let working = s.server.client().bearer(chosen["token"].as_str().unwrap());
    assert!(page(&working, "/").contains("attend votre signature"));
    let refused = s.audit(json!({ "decision": "deny" }));
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn who_works_where_the_charter_is_not_signed_is_told_whom_to_ask() {
    let s = Story::begin();
    let structure = s.act(
        ALICE,
        "/api/v1/organisations",
        json!({
            "code": "nouvelle", "name": "Une structure", "kind": "association", "territory": "Val-d'Orme",
            "telephone": "0102030499", "missions": [{ "code": "accueil", "title": "Accueil" }],
        }),
    );
    let at = format!("/api/v1/organisations/{structure}");
    let mission = s.read(ALICE, &at)["organisation"]["missions"][0]["id"].clone();
    let new = opened(&s, "nouvelle.venue", "Zoé Nouvelle");
    s.act(BRUNO, &format!("/api/v1/professionals/{}/recognition", new.id), Value::Null);
    let placed = |function| {
        let body = assignment(&new.id, &json!(structure), &mission, function);
        let stated = s.act(ALICE, "/api/v1/assignments", body);
        s.act(BRUNO, &format!("/api/v1/assignments/{stated}/confirmation"), Value::Null);
        stated
    };
    let work = placed("practitioner");
    let chosen = new.client.post("/api/v1/sessions/assignment", &json!({ "assignment": work })).json();
    let client = s.server.client().bearer(chosen["token"].as_str().unwrap());
    let edition = &client.get("/api/v1/charter").json()["in_force"].clone();
    let hashes = json!({ "text_hash": edition["text_hash"], "policy_hash": edition["policy_hash"] });
    assert_eq!(client.post("/api/v1/charter/signatures", &hashes).status, 201);

    let unsigned = "Votre structure n&#39;a pas encore signé la charte : vous ne lirez rien.";
    let html = page(&client, "/");
    assert!(html.contains(unsigned) && html.contains("Personne n&#39;y est responsable"), "{html}");
    let nobody = "Personne ne peut signer";
    let seen = |who: &str| page(&s.of(who), &format!("/structures/{structure}"));
    assert!(
        seen(ALICE).contains(nobody) && seen(ALICE).contains("donnez à quelqu'un la fonction de responsable")
    );
    placed("manager");
    assert!(!seen(ALICE).contains(nobody));
    let html = page(&client, "/");
    assert!(html.contains(unsigned) && html.contains("Demandez à Zoé Nouvelle (06"), "{html}");
    // Where the structure has signed, nothing is said.
    assert!(!page(&s.of(NADIA), "/").contains("pas encore signé la charte"));
}

#[test]
fn who_proposed_is_offered_no_confirmation_and_who_invited_no_recognition() {
    let s = Story::begin();
    let new = opened(&s, "nouvelle.venue", "Zoé Nouvelle");
    let own = s.own(SAMIRA);
    let structure = own["organisation"].as_str().unwrap();
    let body = assignment(&new.id, &own["organisation"], &own["mission"], "practitioner");
    let stated = s.act(ALICE, "/api/v1/assignments", body);
    let confirm = format!("/structures/affectations/{stated}/confirmer?structure={structure}");
    let escaped = confirm.replace('&', "&amp;");
    let of_structure = format!("/structures/{structure}");
    let awaited = "En attente d'une autre personne que vous";
    let html = page(&s.of(ALICE), &of_structure);
    assert!(html.contains(awaited) && !html.contains(&escaped), "{html}");
    let sent_back = s.get(ALICE, &confirm);
    assert_eq!((sent_back.status, sent_back.header("location")), (303, Some(of_structure.as_str())));
    let refused = form(&s.of(ALICE), &confirm, &[]);
    let html = text(&refused);
    assert_eq!(refused.status, 422);
    assert!(html.contains("par une seconde personne") && html.contains("<h1>Association Rue"), "{html}");
    assert!(html.contains("value=\"Val-d&#39;Orme\""), "the form of the structure is as ever: {html}");
    // The first page of who administers counts what that person may do, and leads there.
    let first = page(&s.of(ALICE), "/structures");
    assert!(!first.contains("à confirmer :") && !first.contains("compte à reconnaître"), "{first}");
    let first = page(&s.of(BRUNO), "/structures");
    assert!(first.contains("1 affectation à confirmer") && first.contains(&escaped), "{first}");
    assert!(page(&s.of(BRUNO), &of_structure).contains(&escaped));
    // Samira is of that structure: she recognises; neither Alice, who invited, nor Bruno is offered it.
    let person = format!("/structures/personnes/{}", new.id);
    for who in [ALICE, BRUNO] {
        let html = page(&s.of(who), &person);
        assert!(html.contains(awaited) && !html.contains("Je reconnais"), "{who}: {html}");
    }
    assert!(page(&s.of(SAMIRA), "/compte").contains("Je reconnais Zoé Nouvelle"));
    let done = form(&s.of(BRUNO), &confirm, &[]);
    assert_eq!(done.status, 303);
    assert!(!page(&s.of(BRUNO), "/structures").contains("à confirmer :"));
}

#[test]
fn people_and_structures_stand_in_the_order_of_their_names() {
    let s = Story::begin();
    invited(&s, "elodie.abel", "Élodie Abel");
    let names = |path: &str, field: &str| -> Vec<String> {
        let items = s.read(ALICE, path)[field].as_array().unwrap().clone();
        items.iter().map(|i| fold(i["name"].as_str().unwrap())).collect()
    };
    let structure = s.own(NADIA)["organisation"].as_str().unwrap().to_owned();
    for (path, field) in [
        ("/api/v1/professionals".to_owned(), "items"),
        ("/api/v1/organisations".to_owned(), "items"),
        (format!("/api/v1/organisations/{structure}"), "assignments"),
    ] {
        let names = names(&path, field);
        assert!(names.len() > 2 && names.is_sorted(), "{path}: {names:?}");
    }
    let html = page(&s.of(ALICE), "/structures/personnes");
    let at = |name: &str| html.find(name).unwrap();
    assert!(at("David Lopes") < at("Élodie Abel") && at("Élodie Abel") < at("Hélène Roux"));
    assert!(html.contains(" · Sauvegarde de l&#39;Orme"), "each with the structure");
}

#[test]
fn the_forms_of_an_account_and_of_a_structure_say_all_that_is_wrong_at_its_field() {
    let s = Story::begin();
    let plain = s.server.client();
    let code = invited(&s, "nouvelle.venue", "Zoé Nouvelle").1;
    let at_field = |html: &str, field: &str| html.contains(&format!("id=\"e-{field}\""));
    let differ = form(&plain, "/ouvrir", &[("code", &code), ("password", PASSWORD), ("password_again", "x")]);
    let html = text(&differ);
    assert_eq!(differ.status, 422);
    assert!(html.contains("Les deux mots de passe diffèrent : écrivez-les à nouveau."), "{html}");
    assert!(html.contains("est gardé, sauf les mots de passe") && html.contains(&code), "{html}");
    let weak = "zoé nouvelle";
    let weak = form(&plain, "/ouvrir", &[("code", &code), ("password", weak), ("password_again", weak)]);
    assert!(at_field(&text(&weak), "password"), "{}", text(&weak));
    let html = text(&form(&s.of(ALICE), "/structures", &[("code", "Pas un code")]));
    for field in ["name", "code", "kind", "territory", "telephone", "missions[0].title"] {
        assert!(at_field(&html, field), "{field}: {html}");
    }
    let structure = s.own(SAMIRA)["organisation"].as_str().unwrap().to_owned();
    let address = format!("/structures/{structure}/affectation");
    let sent = [("organisation", structure.as_str()), ("secrecy", "bound"), ("_button", "check")];
    let html = text(&form(&s.of(ALICE), &address, &sent));
    for field in ["professional", "mission", "profession", "function", "secrecy_basis"] {
        assert!(at_field(&html, field), "{field}: {html}");
    }
}

#[test]
fn days_out_of_order_are_no_empty_answer_and_own_acts_are_told_to_their_author() {
    let s = Story::begin();
    let wrong = s.get(IRENE, "/controle?from=2027-01-20&to=2027-01-10");
    let html = text(&wrong);
    assert_eq!(wrong.status, 422);
    assert!(html.contains("id=\"e-to\"") && !html.contains("Aucune trace"), "{html}");
    let search = json!({ "from": "2027-01-20", "until": "2027-01-10" });
    let wrong = s.post(IRENE, "/api/v1/audit/records/search", search);
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["errors"][0]["path"], "until");
    for _ in 0..3 {
        s.read(NADIA, "/api/v1/me/sessions");
    }
    let html = page(&s.of(NADIA), "/compte/traces");
    assert!(html.contains("Vous avez ouvert la liste de vos sessions, 3 fois le "), "{html}");
    assert!(html.contains("Les 3 reçus") && html.matches("/recu\"").count() > 3, "{html}");
    let list = html.split("<ul class=\"rows\">").nth(1).unwrap();
    assert!(!list.contains("Référent de parcours"), "not of a third person: {list}");
}

#[test]
fn a_second_factor_moves_to_another_telephone_from_ones_own_page() {
    let s = Story::begin();
    // The latest first; the making of the territory has some already.
    let confirmed = || -> Vec<(u64, String)> {
        let all = s.audit(json!({ "action": "confirm", "resource": "account" }));
        all.iter()
            .map(|r| (r["index"].as_u64().unwrap(), r["decision"].as_str().unwrap().to_owned()))
            .collect()
    };
    let before = confirmed().first().map(|(index, _)| *index).unwrap_or_default();
    let session = || s.server.client().bearer(s.sign_in(NADIA).json()["token"].as_str().unwrap());
    let (here, elsewhere) = (session(), {
        s.server.advance(31);
        session()
    });
    let card = page(&here, "/compte");
    assert!(card.contains("Second facteur") && card.contains("Téléphone perdu ou volé"), "{card}");
    s.server.advance(31);
    let known = account(NADIA);
    let code = |secret: &str| {
        let secret = TotpSecret::from_base32(secret).unwrap();
        totp::code(&secret, s.server.clock.now()).unwrap().to_string()
    };
    let first = |password: &str, code: &str| {
        form(&here, "/compte/second-facteur", &[("factor_password", password), ("factor_code", code)])
    };
    let refused = first("un autre mot de passe", &code(&known.totp_secret));
    assert_eq!(refused.status, 422);
    assert!(text(&refused).contains("rien n&#39;a changé"), "{}", text(&refused));
    let shown = first(&known.password, &code(&known.totp_secret));
    assert_eq!(shown.status, 200);
    let html = text(&shown);
    let hidden = |name: &str| {
        let (_, after) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    assert!(html.contains("action=\"/compte/second-facteur/confirmer\"") && !html.contains("/ouvrir"));
    let second = |digits: &str| {
        let kept = [("ticket", hidden("ticket")), ("secret", hidden("secret"))];
        let mut fields: Vec<(&str, &str)> = kept.iter().map(|(n, v)| (*n, v.as_str())).collect();
        fields.push(("totp", digits));
        form(&here, "/compte/second-facteur/confirmer", &fields)
    };
    let now = code(&hidden("secret"));
    let wrong = second(if now == "000000" { "000001" } else { "000000" });
    assert_eq!(wrong.status, 422);
    assert!(text(&wrong).contains(&hidden("ticket")), "the page comes back with what it showed");
    let done = second(&now);
    assert_eq!((done.status, done.header("location")), (303, Some("/compte?fait=facteur")));
    assert!(done.header("set-cookie").unwrap().contains("__Host-relais="));
    assert_eq!(elsewhere.get("/api/v1/me").status, 401);
    s.server.advance(31);
    assert_eq!(s.sign_in(NADIA).status, 401, "the old telephone");
    let since = confirmed().into_iter().filter(|(index, _)| *index > before);
    let told: Vec<String> = since.map(|(_, decision)| decision).collect();
    assert_eq!(told, ["permit", "failed"], "the wrong code has its record, and the good one");
}
