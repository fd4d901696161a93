//! One pathway on which every caller of the route table stands, and a minimal valid request for each route.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::cell::RefCell;

use relais::charter::Charter;
use relais::clock::Clock;
use relais::crypto::totp::{self, TotpSecret};
use relais::service::Author;
use serde_json::{Value, json};

use super::stories_world::*;

pub const LUC: &str = "luc.perrin";
pub const ODILE: &str = "odile.simon";
pub const BRUNO: &str = "bruno.carre";
pub const KARINE: &str = "karine.leroy";
pub const YVES: &str = "yves.renard";
pub const SOPHIE: &str = "sophie.martin";
/// Nobody: the request has no session.
pub const NOBODY: &str = "";

const SIXTEEN: &str = "2010-04-20";
const PASSWORD: &str = "une phrase longue que personne ne devine";

/// A minimal valid request, and who may make it.
pub struct Ask {
    pub right: &'static str,
    pub path: String,
    pub body: Option<Value>,
    pub if_match: Option<String>,
    /// The same for another purpose, where the route takes one.
    pub wrong: Option<(String, Option<Value>)>,
    /// A session of its own, where the answer ends or replaces it.
    pub client: Option<crate::support::Client>,
}

fn get(right: &'static str, path: String) -> Ask {
    Ask { right, path, body: None, if_match: None, wrong: None, client: None }
}

fn post(right: &'static str, path: String, body: Value) -> Ask {
    Ask { body: Some(body), ..get(right, path) }
}

impl Ask {
    fn or_wrong(self, path: &str, body: Option<Value>) -> Self {
        Self { wrong: Some((path.to_owned(), body)), ..self }
    }
}

/// The territory, and the ids of its one busy pathway.
pub struct World {
    pub s: Story,
    pub p: String,
    mother: String,
    father: String,
    samira: String,
    nadia: String,
    claire: String,
    school: Written,
    share: String,
    accord: String,
    luc: RefCell<String>,
    made: RefCell<u32>,
}

impl World {
    /// Nadia's pathway: Samira reads by an accord; Sophie's place ended; all that named Julie was withdrawn; Claire
    /// only brings; Rémi never had a place.
    pub fn begin() -> Self {
        let s = Story::begin();
        let p = s.open(NADIA, "Lina", SIXTEEN);
        let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
        let all = [mother.as_str(), father.as_str(), "young_person"];
        let mut brings = s.line(CLAIRE, &[], &[]);
        brings["kind"] = json!("contributor");
        let lines = vec![
            s.line(SAMIRA, &["schooling", "housing"], &[]),
            s.line(NADIA, &["schooling"], &[]),
            s.line(SOPHIE, &["schooling"], &[]),
            brings,
        ];
        let accord = s.accord(NADIA, &p, "coordination", 300, lines, &all);
        let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
        let sophie = s.invite(NADIA, &p, SOPHIE, "contractual");
        let claire = s.invite_as(NADIA, &p, CLAIRE, "contractual", "contributor_only", None);
        let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
        let lines = vec![s.line(JULIE, &["schooling"], &[&school])];
        let withdrawn = s.accord(NADIA, &p, "schooling", 200, lines, &all);
        let julie = s.invite(NADIA, &p, JULIE, "contractual");
        s.share(NADIA, &p, s.share_body("schooling", 100, &[&school], &[&julie]));
        let share = s.share(NADIA, &p, s.share_body("coordination", 60, &[&school], &[&samira, &sophie]));
        for (who, purpose) in [(SAMIRA, "coordination"), (SOPHIE, "coordination"), (JULIE, "schooling")] {
            assert!(s.reads(who, &school, purpose), "{who} reads before it ends");
        }
        s.act(SOPHIE, &format!("/api/v1/participations/{sophie}/end"), Value::Null);
        s.act(NADIA, &format!("/api/v1/accords/{withdrawn}/withdrawals"), json!({ "by": mother }));
        let circle = s.read(NADIA, &format!("/api/v1/pathways/{p}/circle"));
        let nadia = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            s,
            p,
            mother,
            father,
            samira,
            nadia,
            claire,
            school,
            share,
            accord,
            luc: RefCell::default(),
            made: RefCell::new(0),
        }
    }

    /// `/api/v1/pathways/<this one>/rest`.
    fn at(&self, rest: &str) -> String {
        format!("/api/v1/pathways/{}/{rest}", self.p)
    }

    fn number(&self) -> u32 {
        let mut made = self.made.borrow_mut();
        *made += 1;
        *made
    }

    /// Another session of somebody.
    fn fresh(&self, login: &str) -> (crate::support::Client, Value) {
        self.s.server.advance(31);
        let reply = self.s.sign_in(login);
        assert_eq!(reply.status, 201, "{login}: {}", text(&reply));
        (self.s.server.client().bearer(reply.json()["token"].as_str().unwrap()), reply.json())
    }

    fn place(&self, right: &'static str, who: &str, role: &str) -> String {
        let body = json!({ "assignment": self.s.own(who)["id"], "mandate": "contractual", "role": role, "until": null });
        self.s.act(right, &self.at("participations"), body)
    }

    fn accord_body(&self, purpose: &str, category: &str) -> Value {
        json!({
            "purpose": purpose, "starts": self.s.day(0), "ends": self.s.day(100), "language": "fr",
            "lines": [self.s.line(SAMIRA, &[category], &[])],
        })
    }

    /// An accord that nobody has signed yet.
    fn draft(&self) -> String {
        let id = self.s.act(NADIA, &self.at("accords"), self.accord_body("coordination", "leisure"));
        self.s.act(NADIA, &format!("/api/v1/accords/{id}/printing"), Value::Null);
        id
    }

    fn signature(&self, by: &str, how: Value) -> Value {
        json!({ "by": by, "how": how, "verified": "known", "on": self.s.day(0) })
    }

    fn signed(&self) -> String {
        let id = self.draft();
        for by in [&self.mother, &self.father] {
            let paper = json!({ "mode": "paper", "original_at": "Classeur" });
            self.s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), self.signature(by, paper));
        }
        id
    }

    fn on_accord(&self, id: &str, what: &str, body: Value) -> Ask {
        post(NADIA, format!("/api/v1/accords/{id}/{what}"), body)
    }

    fn release_body(&self, purpose: &str) -> Value {
        json!({ "item_version": self.school.version, "recipient": self.s.key(JULIE), "purpose": purpose })
    }

    fn release(&self) -> String {
        self.s.act(NADIA, &self.at("releases"), self.release_body("schooling"))
    }

    fn item_body(&self, words: &str) -> Value {
        json!({
            "label": "Un fait", "for_stay": false,
            "content": { "category": "schooling", "fact": words, "source": "observed" },
        })
    }

    /// The tag of an item as it is, and other words for it.
    fn correction(&self, item: &Written) -> (String, Value) {
        let tag =
            self.s.get(NADIA, &format!("/api/v1/items/{}", item.item)).header("etag").unwrap().to_owned();
        let content = json!({ "category": "schooling", "fact": "Vient le mardi", "source": "observed" });
        (tag, json!({ "label": "Un fait", "content": content, "valid_until": null }))
    }

    fn statute_body(&self) -> Value {
        json!({
            "ground": "danger", "necessity": "Il faut adapter la visite de demain.",
            "parents": { "information": "contrary_to_interest", "motive": "reprisals" },
            "child": { "information": "given", "on": self.s.day(0) },
            "items": [self.school.version], "recipients": [self.samira],
        })
    }

    fn statute(&self) -> String {
        self.s.act(NADIA, &self.at("statutes"), self.statute_body())
    }

    fn holder_body(&self) -> Value {
        json!({ "capacity": "relative", "from": "2015-01-01", "name": "Une tante", "relation": "tante" })
    }

    fn reference(&self) -> Value {
        json!({ "item": self.school.item, "version": self.school.version })
    }

    fn preference(&self) -> Value {
        json!({ "said_by": "young_person", "wish": "Je préfère la même personne.", "on": self.s.day(0) })
    }

    fn action(&self) -> Value {
        json!({ "category": "schooling", "what": "Aide aux devoirs", "by_when": self.s.day(30), "who": self.nadia })
    }

    /// The accord that a handover from Samira to Nadia needs.
    fn handover_accord(&self) {
        let lines = vec![self.s.line(NADIA, &["schooling"], &[])];
        let all = [self.mother.as_str(), self.father.as_str(), "young_person"];
        self.s.accord(SAMIRA, &self.p, "handover", 200, lines, &all);
    }

    /// The handover that runs, or another.
    fn handover(&self) -> String {
        let list = self.s.read(SAMIRA, &self.at("handovers"));
        let mut all = list["items"].as_array().unwrap().iter();
        match all.find(|h| h["state"] == "proposed" || h["state"] == "accepted") {
            Some(running) => running["id"].as_str().unwrap().to_owned(),
            None => self.s.act(SAMIRA, &self.at("handovers"), self.handover_body()),
        }
    }

    fn handover_body(&self) -> Value {
        let hers = self.s.fact(SAMIRA, &self.p, "schooling", "A repris les cours le matin");
        json!({
            "incoming": self.nadia, "items": [{ "item": hers.item, "version": hers.version }],
            "last_day": self.s.day(50),
        })
    }

    fn succession(&self, field: &str) -> String {
        let list = self.s.read(NADIA, &self.at("successions"));
        let last = list["items"].as_array().unwrap().iter().find(|i| i["stopped"] == false).unwrap();
        last[field].as_str().unwrap().to_owned()
    }

    fn account_body(&self) -> Value {
        let login = format!("nouvelle.{}", self.number());
        json!({ "login": login, "name": "Une collègue", "telephone": "0601020397" })
    }

    /// Invites somebody: id and code.
    fn invited(&self) -> (String, String) {
        let reply = self.s.post(ALICE, "/api/v1/professionals", self.account_body());
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let seen = reply.json();
        (seen["id"].as_str().unwrap().to_owned(), seen["code"].as_str().unwrap().to_owned())
    }

    fn opening(&self, code: &str) -> Value {
        let body = json!({ "code": code, "password": PASSWORD });
        let reply = self.s.server.client().post("/api/v1/accounts/open", &body);
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let opened = reply.json();
        let secret = TotpSecret::from_base32(opened["totp_secret"].as_str().unwrap()).unwrap();
        let now = totp::code(&secret, self.s.server.clock.now()).unwrap();
        json!({ "code": code, "ticket": opened["ticket"], "totp": now.as_str() })
    }

    fn assignment_body(&self, professional: &str) -> Value {
        let own = self.s.own(SAMIRA);
        json!({
            "professional": professional, "organisation": own["organisation"], "mission": own["mission"],
            "profession": "specialised_prevention", "function": "practitioner", "secrecy": "bound",
            "secrecy_basis": "casf_l221_6",
        })
    }

    /// An account that is open, with an assignment stated by Alice: the account and the assignment.
    fn opened(&self) -> (String, String) {
        let (id, code) = self.invited();
        let reply = self.s.server.client().post("/api/v1/accounts/open/confirm", &self.opening(&code));
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let assignment = self.s.act(ALICE, "/api/v1/assignments", self.assignment_body(&id));
        (id, assignment)
    }

    fn organisation_body(&self) -> Value {
        json!({
            "code": format!("structure-{}", self.number()), "name": "Une structure", "kind": "association",
            "territory": "Val-d'Orme", "telephone": "0102030499",
            "missions": [{ "code": "accueil", "title": "Accueil" }],
        })
    }

    fn edition(&self) -> Value {
        let v2 = Charter::embedded_demo_v2().unwrap();
        if self.s.read(NADIA, "/api/v1/charter")["announced"].is_null() {
            self.s.server.app.charter_publish(Author::Console("charter publish"), &v2).unwrap();
        }
        let edition = self.s.read(NADIA, "/api/v1/charter")["announced"].clone();
        json!({ "text_hash": edition["text_hash"], "policy_hash": edition["policy_hash"] })
    }
}

/// What is asked of a route by its method and template; `None` for a route that nobody has written here.
pub fn ask(w: &World, method: &str, template: &str) -> Option<Ask> {
    let rest = template.strip_prefix("/api/v1/").unwrap_or(template);
    match method {
        "GET" => reads(w, rest),
        _ => on_pathway(w, method, rest)
            .or_else(|| on_people(w, method, rest))
            .or_else(|| on_accords(w, method, rest))
            .or_else(|| on_shares(w, method, rest))
            .or_else(|| on_accounts(w, method, rest)),
    }
}

fn reads(w: &World, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let api = |right, path: &str| get(right, format!("/api/v1/{path}"));
    Some(match rest {
        "/health/live" | "/health/ready" => get(NOBODY, rest.to_owned()),
        "openapi.json" => api(NOBODY, rest),
        "me" | "me/sessions" | "pathways" | "invitations" | "organisations" | "charter" | "danger" => {
            api(NADIA, rest)
        }
        "professionals" => api(ALICE, rest),
        "organisations/{organisation}" => {
            api(NADIA, &format!("organisations/{}", s.own(SAMIRA)["organisation"].as_str().unwrap()))
        }
        "pathways/{pathway}" => api(SAMIRA, &format!("pathways/{}", w.p)),
        "pathways/{pathway}/circle" => get(SAMIRA, w.at("circle")),
        "pathways/{pathway}/chronology" => get(SAMIRA, w.at("chronology")),
        "pathways/{pathway}/preference" => get(NADIA, w.at("preference")),
        "pathways/{pathway}/holders" => get(NADIA, w.at("holders")),
        "pathways/{pathway}/notes" => get(SAMIRA, w.at("notes")),
        "pathways/{pathway}/accords" => get(NADIA, w.at("accords")),
        "pathways/{pathway}/shares" => get(NADIA, w.at("shares")),
        "pathways/{pathway}/spoken" => get(NADIA, w.at("spoken")),
        "pathways/{pathway}/transmissions" => get(SAMIRA, w.at("transmissions")),
        "pathways/{pathway}/handovers" => get(SAMIRA, w.at("handovers")),
        "pathways/{pathway}/successions" => get(NADIA, w.at("successions")),
        "pathways/{pathway}/consultations" => get(NADIA, w.at("consultations")),
        "pathways/{pathway}/items" => {
            get(SAMIRA, w.at("items?purpose=coordination")).or_wrong(&w.at("items?purpose=stay"), None)
        }
        "items/{item}" => {
            let at = |purpose: &str| format!("items/{}?purpose={purpose}", w.school.item);
            api(SAMIRA, &at("coordination")).or_wrong(&format!("/api/v1/{}", at("stay")), None)
        }
        "accords/{accord}" => api(NADIA, &format!("accords/{}", w.accord)),
        "accords/{accord}/notice" => api(NADIA, &format!("accords/{}/notice", w.accord)),
        "releases/{release}/notice" => api(NADIA, &format!("releases/{}/notice", w.release())),
        "statutes/{statute}" => api(NADIA, &format!("statutes/{}", w.statute())),
        "manager/decisions" => api(HELENE, rest),
        "pathways/{pathway}/shares/{share}" => get(NADIA, w.at(&format!("shares/{}", w.share))),
        "pathways/{pathway}/handovers/{handover}" => {
            get(SAMIRA, w.at(&format!("handovers/{}", w.handover())))
        }
        "audit/records/{index}" => api(IRENE, "audit/records/3"),
        "audit/records/{index}/proof" => api(IRENE, "audit/records/3/proof"),
        "audit/consistency" => api(IRENE, "audit/consistency?from=2"),
        "audit/checkpoint" | "audit/state" => api(IRENE, rest),
        _ => return None,
    })
}

fn on_pathway(w: &World, method: &str, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let on = |rest: &str, body| post(NADIA, w.at(rest), body);
    Some(match (method, rest) {
        ("POST", "pathways") => post(
            NADIA,
            "/api/v1/pathways".to_owned(),
            json!({
                "person": { "nickname": "Zed" }, "preference": w.preference(), "review_on": s.day(100),
                "mandate": "contractual",
            }),
        ),
        ("POST", "pathways/search") => {
            post(NADIA, "/api/v1/pathways/search".to_owned(), json!({ "text": "Lina" }))
        }
        ("POST", "pathways/{pathway}/course") => {
            on("course", json!({ "step": "contact", "review_on": s.day(140) }))
        }
        ("POST", "pathways/{pathway}/closing") => {
            post(MARC, w.at("closing"), json!({ "reason": "achieved" }))
        }
        ("POST", "pathways/{pathway}/referent") => {
            let marc = w.place(NADIA, MARC, "participant");
            s.act(MARC, &format!("/api/v1/participations/{marc}/acceptance"), Value::Null);
            on("referent", json!({ "participation": marc, "preference": w.preference() }))
        }
        ("POST", "pathways/{pathway}/identity") => {
            let identity = json!({ "first_name": "Lina", "name": "Carpentier" });
            on(
                "identity",
                json!({ "identity": identity, "birth_date": SIXTEEN, "given_by_young_person": true }),
            )
        }
        ("POST", "pathways/{pathway}/emancipation") => on("emancipation", json!({ "on": s.day(0) })),
        ("POST", "pathways/{pathway}/preference") => on("preference", w.preference()),
        ("POST", "pathways/{pathway}/holders") => on("holders", w.holder_body()),
        ("POST", "pathways/{pathway}/holders/{holder}/end") => {
            let id = s.act(NADIA, &w.at("holders"), w.holder_body());
            on(&format!("holders/{id}/end"), json!({ "last_day": s.day(0) }))
        }
        ("POST", "pathways/{pathway}/participations") => on(
            "participations",
            json!({ "assignment": s.own(HELENE)["id"], "mandate": "contractual", "role": "participant", "until": null }),
        ),
        ("POST", "participations/{participation}/acceptance") => {
            let luc = w.place(NADIA, LUC, "participant");
            w.luc.borrow_mut().clone_from(&luc);
            get(LUC, format!("/api/v1/participations/{luc}/acceptance"))
        }
        ("POST", "participations/{participation}/refusal") => {
            let david = w.place(NADIA, DAVID, "contributor_only");
            get(DAVID, format!("/api/v1/participations/{david}/refusal"))
        }
        ("POST", "participations/{participation}/end") => {
            get(NADIA, format!("/api/v1/participations/{}/end", w.luc.borrow()))
        }
        ("POST", "pathways/{pathway}/items") => on("items", w.item_body("Arrive à l'heure")),
        ("POST", "pathways/{pathway}/items/check") => on("items/check", w.item_body("Arrive à l'heure")),
        ("POST", "items/{item}/versions") => {
            let item = s.fact(NADIA, &w.p, "schooling", "Vient le lundi");
            let (tag, body) = w.correction(&item);
            Ask { if_match: Some(tag), ..post(NADIA, format!("/api/v1/items/{}/versions", item.item), body) }
        }
        ("POST", "pathways/{pathway}/actions") => on("actions", w.action()),
        ("POST", "actions/{item}/progress") => {
            let id = s.act(NADIA, &w.at("actions"), w.action());
            post(NADIA, format!("/api/v1/actions/{id}/progress"), json!({ "state": "in_progress" }))
        }
        ("POST", "pathways/{pathway}/notes") => {
            post(SAMIRA, w.at("notes"), json!({ "text": "À rappeler mardi" }))
        }
        ("PUT", "pathways/{pathway}/notes/{note}") => {
            let id = s.act(SAMIRA, &w.at("notes"), json!({ "text": "À rappeler" }));
            post(SAMIRA, w.at(&format!("notes/{id}")), json!({ "version": 1, "text": "À rappeler jeudi" }))
        }
        _ => return None,
    })
}

fn on_people(w: &World, method: &str, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let on = |rest: &str, body| post(NADIA, w.at(rest), body);
    Some(match (method, rest) {
        ("POST", "pathways/{pathway}/withdrawals") => on(
            "withdrawals",
            json!({ "by": w.mother, "what": { "scope": "category", "category": "leisure" }, "channel": "telephone" }),
        ),
        ("POST", "pathways/{pathway}/impossibilities") => on(
            "impossibilities",
            json!({ "holder": w.father, "motive": { "motive": "unknown" }, "statement": "Sans adresse connue." }),
        ),
        ("POST", "impossibilities/{impossibility}/decisions") => {
            let body = json!({ "holder": w.mother, "motive": { "motive": "unknown" }, "statement": "Sans adresse." });
            let id = s.act(NADIA, &w.at("impossibilities"), body);
            let decision = json!({ "accepted": false, "until": null, "motive": "À rechercher encore." });
            post(HELENE, format!("/api/v1/impossibilities/{id}/decisions"), decision)
        }
        ("POST", "pathways/{pathway}/statutes") => on("statutes", w.statute_body()),
        ("POST", "statutes/{statute}/decisions") => post(
            HELENE,
            format!("/api/v1/statutes/{}/decisions", w.statute()),
            json!({ "kind": "exception", "accepted": true, "motive": "Vu le danger décrit." }),
        ),
        ("POST", "statutes/{statute}/closing") => {
            get(NADIA, format!("/api/v1/statutes/{}/closing", w.statute()))
        }
        ("POST", "pathways/{pathway}/participations/{participation}/successor") => post(
            ANNE,
            w.at(&format!("participations/{}/successor", w.claire)),
            json!({ "assignment": s.own(DAVID)["id"], "last_day": s.day(21) }),
        ),
        ("POST", "pathways/{pathway}/participations/{participation}/succession") => {
            get(DAVID, w.at(&format!("participations/{}/succession", w.succession("participation"))))
        }
        ("POST", "pathways/{pathway}/successions/{succession}/stop") => {
            let at = w.at(&format!("successions/{}/stop", w.succession("id")));
            post(CLAIRE, at, json!({ "asked_by": "family" }))
        }
        _ => return None,
    })
}

fn on_accords(w: &World, method: &str, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let no = |by: &str| json!({ "by": by });
    let paper = json!({ "mode": "paper", "original_at": "Classeur" });
    Some(match (method, rest) {
        ("POST", "pathways/{pathway}/accords") => {
            post(NADIA, w.at("accords"), w.accord_body("coordination", "leisure"))
                .or_wrong(&w.at("accords"), Some(w.accord_body("stay", "schooling")))
        }
        ("POST", "accords/{accord}/printing") => {
            get(NADIA, format!("/api/v1/accords/{}/printing", w.draft()))
        }
        ("POST", "accords/{accord}/signatures") => {
            w.on_accord(&w.draft(), "signatures", w.signature(&w.mother, paper))
        }
        ("POST", "accords/{accord}/sheets") => {
            let id = w.draft();
            let aloud = w.signature(&w.mother, json!({ "mode": "oral_present" }));
            s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), aloud);
            let body = json!({ "by": w.mother, "on": s.day(0), "original_at": "Classeur" });
            w.on_accord(&id, "sheets", body)
        }
        ("POST", "accords/{accord}/opinions") => {
            w.on_accord(&w.draft(), "opinions", json!({ "opinion": "favourable", "on": s.day(0) }))
        }
        ("POST", "accords/{accord}/refusals") => w.on_accord(&w.draft(), "refusals", no(&w.father)),
        ("POST", "accords/{accord}/withdrawals") => w.on_accord(&w.signed(), "withdrawals", no(&w.mother)),
        ("POST", "accords/{accord}/oppositions") => {
            let id = w.draft();
            let signature = w.signature(&w.mother, paper);
            s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), signature);
            w.on_accord(&id, "oppositions", no(&w.father))
        }
        ("POST", "accords/{accord}/talks") => w.on_accord(&w.draft(), "talks", json!({ "maintained": true })),
        ("POST", "pathways/{pathway}/releases") => post(NADIA, w.at("releases"), w.release_body("schooling"))
            .or_wrong(&w.at("releases"), Some(w.release_body("stay"))),
        ("POST", "releases/{release}/signatures") => {
            post(NADIA, format!("/api/v1/releases/{}/signatures", w.release()), w.signature(&w.mother, paper))
        }
        ("POST", "releases/{release}/refusals") => {
            post(NADIA, format!("/api/v1/releases/{}/refusals", w.release()), no(&w.father))
        }
        ("POST", "releases/{release}/withdrawals") => {
            let id = w.release();
            for by in [w.mother.as_str(), w.father.as_str(), "young_person"] {
                let signature = w.signature(by, paper.clone());
                s.act(NADIA, &format!("/api/v1/releases/{id}/signatures"), signature);
            }
            post(NADIA, format!("/api/v1/releases/{id}/withdrawals"), no(&w.father))
        }
        _ => return None,
    })
}

fn on_shares(w: &World, method: &str, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let (shares, spoken, preview) = (w.at("shares"), w.at("spoken"), w.at("preview"));
    let share = |purpose: &str| s.share_body(purpose, 50, &[&w.school], &[&w.samira]);
    let said = |purpose: &str| json!({ "recipient": w.samira, "category": "schooling", "purpose": purpose, "on": s.day(0) });
    let shown = |purpose: &str| json!({ "purpose": purpose, "items": [w.reference()] });
    Some(match (method, rest) {
        ("POST", "pathways/{pathway}/preview") => {
            post(NADIA, preview.clone(), shown("coordination")).or_wrong(&preview, Some(shown("stay")))
        }
        ("POST", "pathways/{pathway}/shares") => {
            post(NADIA, shares.clone(), share("coordination")).or_wrong(&shares, Some(share("stay")))
        }
        ("POST", "pathways/{pathway}/shares/{share}/end") => {
            let id = s.act(NADIA, &shares, share("coordination"));
            post(NADIA, w.at(&format!("shares/{id}/end")), json!({}))
        }
        ("POST", "pathways/{pathway}/shares/{share}/versions") => {
            let item = s.fact(NADIA, &w.p, "schooling", "Un rendez-vous au collège");
            let id = s.act(NADIA, &shares, s.share_body("coordination", 50, &[&item], &[&w.samira]));
            let (tag, body) = w.correction(&item);
            let at = format!("/api/v1/items/{}", item.item);
            let done = s.of(NADIA).with("If-Match", &tag).post(&format!("{at}/versions"), &body);
            assert_eq!(done.status, 201, "{}", text(&done));
            let version = s.read(NADIA, &at)["version_id"].clone();
            let join = json!({ "item": { "item": item.item, "version": version }, "readers": [w.samira] });
            post(NADIA, w.at(&format!("shares/{id}/versions")), join)
        }
        ("POST", "pathways/{pathway}/spoken") => {
            post(NADIA, spoken.clone(), said("coordination")).or_wrong(&spoken, Some(said("stay")))
        }
        ("POST", "pathways/{pathway}/transmissions") => {
            post(SAMIRA, w.at("transmissions"), json!({ "on": s.day(0), "to": "crip" }))
        }
        ("POST", "pathways/{pathway}/handovers") => {
            w.handover_accord();
            post(SAMIRA, w.at("handovers"), w.handover_body())
        }
        ("POST", "pathways/{pathway}/handovers/{handover}/acceptance") => {
            get(NADIA, w.at(&format!("handovers/{}/acceptance", w.handover())))
        }
        ("POST", "pathways/{pathway}/handovers/{handover}/refusal") => {
            get(NADIA, w.at(&format!("handovers/{}/refusal", w.handover())))
        }
        ("POST", "pathways/{pathway}/handovers/{handover}/confirmation") => {
            let id = w.handover();
            get(SAMIRA, w.at(&format!("handovers/{id}/confirmation")))
        }
        ("POST", "audit/records/search") => post(IRENE, "/api/v1/audit/records/search".to_owned(), json!({})),
        _ => return None,
    })
}

fn on_accounts(w: &World, method: &str, rest: &str) -> Option<Ask> {
    let s = &w.s;
    let api = |right, path: &str, body| post(right, format!("/api/v1/{path}"), body);
    let bare = |right, path: String| get(right, format!("/api/v1/{path}"));
    Some(match (method, rest) {
        ("POST", "sessions") => {
            let account = account(YVES);
            let secret = TotpSecret::from_base32(&account.totp_secret).unwrap();
            let code = totp::code(&secret, s.server.clock.now()).unwrap();
            api(NOBODY, rest, json!({ "login": YVES, "password": account.password, "code": code.as_str() }))
        }
        ("POST", "sessions/assignment") => {
            let assignment = s.own(KARINE)["id"].clone();
            let client = Some(w.fresh(KARINE).0);
            Ask { client, ..api(KARINE, rest, json!({ "assignment": assignment })) }
        }
        ("DELETE", "sessions/current") => {
            Ask { client: Some(w.fresh(ODILE).0), ..bare(ODILE, rest.to_owned()) }
        }
        ("DELETE", "me/sessions/{session}") => {
            let list = w.fresh(HELENE).0.get("/api/v1/me/sessions").json();
            let current = list["items"].as_array().unwrap().iter().find(|i| i["current"] == true).unwrap();
            bare(HELENE, format!("me/sessions/{}", current["id"].as_str().unwrap()))
        }
        ("POST", "me/password") => {
            let client = Some(w.fresh(ODILE).0);
            s.server.advance(31);
            let account = account(ODILE);
            let secret = TotpSecret::from_base32(&account.totp_secret).unwrap();
            let code = totp::code(&secret, s.server.clock.now()).unwrap();
            let body =
                json!({ "password": account.password, "code": code.as_str(), "new_password": PASSWORD });
            Ask { client, ..api(ODILE, rest, body) }
        }
        ("POST", "professionals") => api(ALICE, rest, w.account_body()),
        ("POST", "professionals/{professional}/recognition") => {
            bare(LUC, format!("professionals/{}/recognition", w.opened().0))
        }
        ("POST", "professionals/{professional}/factor") => {
            bare(ALICE, format!("professionals/{}/factor", w.opened().0))
        }
        ("POST", "professionals/{professional}/end") => {
            bare(ALICE, format!("professionals/{}/end", w.opened().0))
        }
        ("POST", "accounts/open") => {
            api(NOBODY, rest, json!({ "code": w.invited().1, "password": PASSWORD }))
        }
        ("POST", "accounts/open/confirm") => api(NOBODY, rest, w.opening(&w.invited().1)),
        ("POST", "organisations") => api(ALICE, rest, w.organisation_body()),
        ("PUT", "organisations/{organisation}") => {
            let body = w.organisation_body();
            let id = s.act(ALICE, "/api/v1/organisations", body.clone());
            api(ALICE, &format!("organisations/{id}"), json!({ "version": 1, "organisation": body }))
        }
        ("POST", "assignments") => api(ALICE, rest, w.assignment_body(&w.invited().0)),
        ("POST", "assignments/{assignment}/confirmation") => {
            bare(BRUNO, format!("assignments/{}/confirmation", w.opened().1))
        }
        ("POST", "assignments/{assignment}/end") => bare(ALICE, format!("assignments/{}/end", w.opened().1)),
        ("POST", "charter/signatures") => api(NADIA, rest, w.edition()),
        ("POST", "charter/organisation-signature") => api(HELENE, rest, w.edition()),
        _ => return None,
    })
}
