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

pub const SIXTEEN: &str = "2010-04-20";
pub const PASSWORD: &str = "une phrase longue que personne ne devine";

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

/// The territory, and the ids of its one busy pathway.
pub struct World {
    pub s: Story,
    pub p: String,
    pub mother: String,
    pub father: String,
    pub samira: String,
    pub nadia: String,
    pub claire: String,
    pub school: Written,
    pub share: String,
    pub accord: String,
    pub luc: RefCell<String>,
    pub made: RefCell<u32>,
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
    pub fn at(&self, rest: &str) -> String {
        format!("/api/v1/pathways/{}/{rest}", self.p)
    }

    pub fn number(&self) -> u32 {
        let mut made = self.made.borrow_mut();
        *made += 1;
        *made
    }

    /// A session of its own, and password and code asked again.
    pub fn factor(&self, login: &str) -> (crate::support::Client, Value) {
        let client = self.fresh(login).0;
        self.s.server.advance(31);
        let account = account(login);
        let secret = TotpSecret::from_base32(&account.totp_secret).unwrap();
        let code = totp::code(&secret, self.s.server.clock.now()).unwrap();
        (client, json!({ "password": account.password, "code": code.as_str() }))
    }

    /// Another session of somebody.
    pub fn fresh(&self, login: &str) -> (crate::support::Client, Value) {
        self.s.server.advance(31);
        let reply = self.s.sign_in(login);
        assert_eq!(reply.status, 201, "{login}: {}", text(&reply));
        (self.s.server.client().bearer(reply.json()["token"].as_str().unwrap()), reply.json())
    }

    pub fn place(&self, right: &'static str, who: &str, role: &str) -> String {
        let body = json!({ "assignment": self.s.own(who)["id"], "mandate": "contractual", "role": role, "until": null });
        self.s.act(right, &self.at("participations"), body)
    }

    pub fn accord_body(&self, purpose: &str, category: &str) -> Value {
        json!({
            "purpose": purpose, "starts": self.s.day(0), "ends": self.s.day(100), "language": "fr",
            "lines": [self.s.line(SAMIRA, &[category], &[])],
        })
    }

    /// What Samira looked at, told to the young person later.
    pub fn deferral_body(&self) -> Value {
        let who = self.s.key(SAMIRA);
        json!({
            "whose": "young_person", "organisation": who["organisation"], "profession": who["profession"],
            "motive": "child_interest", "statement": "Le jeune se met en danger quand il l'apprend.",
        })
    }

    /// Where one asks whom a record that names the référente's work stands for.
    pub fn reidentification_at(&self) -> String {
        let index = &self.s.recorded("referent_pre", "create", "pathway", "permit")["index"];
        format!("/api/v1/audit/records/{index}/reidentification")
    }

    pub fn reidentification_body(&self, of: &str) -> Value {
        json!({ "of": of, "motive": "irregular_access", "reason": "Des lectures de nuit." })
    }

    pub fn second_opinion(&self) -> Value {
        json!({ "outcome": "confirmed", "remark": "Le motif tient." })
    }

    /// A request of the auditor's, and where its next step is taken.
    pub fn reidentification(&self, step: &str) -> String {
        let id = self.s.act(IRENE, &self.reidentification_at(), self.reidentification_body("actor"));
        format!("/api/v1/audit/reidentifications/{id}/{step}")
    }

    /// An accord that nobody has signed yet.
    pub fn draft(&self) -> String {
        let id = self.s.act(NADIA, &self.at("accords"), self.accord_body("coordination", "leisure"));
        self.s.act(NADIA, &format!("/api/v1/accords/{id}/printing"), Value::Null);
        id
    }

    pub fn signature(&self, by: &str, how: Value) -> Value {
        json!({ "by": by, "how": how, "verified": "known", "on": self.s.day(0) })
    }

    pub fn signed(&self) -> String {
        let id = self.draft();
        for by in [&self.mother, &self.father] {
            let paper = json!({ "mode": "paper", "original_at": "Classeur" });
            self.s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), self.signature(by, paper));
        }
        id
    }

    pub fn release_body(&self, purpose: &str) -> Value {
        json!({ "item_version": self.school.version, "recipient": self.s.key(JULIE), "purpose": purpose })
    }

    pub fn release(&self) -> String {
        self.s.act(NADIA, &self.at("releases"), self.release_body("schooling"))
    }

    pub fn item_body(&self, words: &str) -> Value {
        json!({
            "label": "Un fait", "for_stay": false,
            "content": { "category": "schooling", "fact": words, "source": "observed" },
        })
    }

    /// The tag of an item as it is, and other words for it.
    pub fn correction(&self, item: &Written) -> (String, Value) {
        let tag =
            self.s.get(NADIA, &format!("/api/v1/items/{}", item.item)).header("etag").unwrap().to_owned();
        let content = json!({ "category": "schooling", "fact": "Vient le mardi", "source": "observed" });
        (tag, json!({ "label": "Un fait", "content": content, "valid_until": null }))
    }

    pub fn statute_body(&self) -> Value {
        json!({
            "ground": "danger", "necessity": "Il faut adapter la visite de demain.",
            "parents": { "information": "contrary_to_interest", "motive": "reprisals" },
            "child": { "information": "given", "on": self.s.day(0) },
            "items": [self.school.version], "recipients": [self.samira],
        })
    }

    pub fn statute(&self) -> String {
        self.s.act(NADIA, &self.at("statutes"), self.statute_body())
    }

    pub fn emergency_body(&self) -> Value {
        json!({ "motive": "Malaise pendant une sortie.", "understood": true })
    }

    /// Samira's opening, which the route that opens has made.
    pub fn emergency(&self) -> String {
        let list = self.s.read(SAMIRA, &self.at("emergencies"));
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }

    pub fn holder_body(&self) -> Value {
        json!({ "capacity": "relative", "from": "2015-01-01", "name": "Une tante", "relation": "tante" })
    }

    pub fn reference(&self) -> Value {
        json!({ "item": self.school.item, "version": self.school.version })
    }

    pub fn preference(&self) -> Value {
        json!({ "said_by": "young_person", "wish": "Je préfère la même personne.", "on": self.s.day(0) })
    }

    pub fn action(&self) -> Value {
        json!({ "category": "schooling", "what": "Aide aux devoirs", "by_when": self.s.day(30), "who": self.nadia })
    }

    /// The accord that a handover from Samira to Nadia needs.
    pub fn handover_accord(&self) {
        let lines = vec![self.s.line(NADIA, &["schooling"], &[])];
        let all = [self.mother.as_str(), self.father.as_str(), "young_person"];
        self.s.accord(SAMIRA, &self.p, "handover", 200, lines, &all);
    }

    /// The handover that runs, or another.
    pub fn handover(&self) -> String {
        let list = self.s.read(SAMIRA, &self.at("handovers"));
        let mut all = list["items"].as_array().unwrap().iter();
        match all.find(|h| h["state"] == "proposed" || h["state"] == "accepted") {
            Some(running) => running["id"].as_str().unwrap().to_owned(),
            None => self.s.act(SAMIRA, &self.at("handovers"), self.handover_body()),
        }
    }

    pub fn handover_body(&self) -> Value {
        let hers = self.s.fact(SAMIRA, &self.p, "schooling", "A repris les cours le matin");
        json!({
            "incoming": self.nadia, "items": [{ "item": hers.item, "version": hers.version }],
            "last_day": self.s.day(50),
        })
    }

    pub fn succession(&self, field: &str) -> String {
        let list = self.s.read(NADIA, &self.at("successions"));
        let last = list["items"].as_array().unwrap().iter().find(|i| i["stopped"] == false).unwrap();
        last[field].as_str().unwrap().to_owned()
    }

    pub fn account_body(&self) -> Value {
        let login = format!("nouvelle.{}", self.number());
        json!({ "login": login, "name": "Une collègue", "telephone": "0601020397" })
    }

    /// Invites somebody: id and code.
    pub fn invited(&self) -> (String, String) {
        let reply = self.s.post(ALICE, "/api/v1/professionals", self.account_body());
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let seen = reply.json();
        (seen["id"].as_str().unwrap().to_owned(), seen["code"].as_str().unwrap().to_owned())
    }

    pub fn opening(&self, code: &str) -> Value {
        let body = json!({ "code": code, "password": PASSWORD });
        let reply = self.s.server.client().post("/api/v1/accounts/open", &body);
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let opened = reply.json();
        let secret = TotpSecret::from_base32(opened["totp_secret"].as_str().unwrap()).unwrap();
        let now = totp::code(&secret, self.s.server.clock.now()).unwrap();
        json!({ "code": code, "ticket": opened["ticket"], "totp": now.as_str() })
    }

    pub fn assignment_body(&self, professional: &str) -> Value {
        let own = self.s.own(SAMIRA);
        json!({
            "professional": professional, "organisation": own["organisation"], "mission": own["mission"],
            "profession": "specialised_prevention", "function": "practitioner", "secrecy": "bound",
            "secrecy_basis": "casf_l221_6",
        })
    }

    /// An account that is open, with an assignment stated by Alice: the account and the assignment.
    pub fn opened(&self) -> (String, String) {
        let (id, code) = self.invited();
        let reply = self.s.server.client().post("/api/v1/accounts/open/confirm", &self.opening(&code));
        assert_eq!(reply.status, 201, "{}", text(&reply));
        let assignment = self.s.act(ALICE, "/api/v1/assignments", self.assignment_body(&id));
        (id, assignment)
    }

    pub fn organisation_body(&self) -> Value {
        json!({
            "code": format!("structure-{}", self.number()), "name": "Une structure", "kind": "association",
            "territory": "Val-d'Orme", "telephone": "0102030499",
            "missions": [{ "code": "accueil", "title": "Accueil" }],
        })
    }

    pub fn edition(&self) -> Value {
        let v2 = Charter::embedded_demo_v2().unwrap();
        if self.s.read(NADIA, "/api/v1/charter")["announced"].is_null() {
            self.s.server.app.charter_publish(Author::Console("charter publish"), &v2).unwrap();
        }
        let edition = self.s.read(NADIA, "/api/v1/charter")["announced"].clone();
        json!({ "text_hash": edition["text_hash"], "policy_hash": edition["policy_hash"] })
    }
}
