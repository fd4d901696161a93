//! Where the canaries stand: thirty pathways of three kinds, with something in every category and everything that a route
//! can name; and the questions about them.
//!
//! INVARIANT: who may read is written here from DESIGN §4, not taken from the code that decides.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::collections::{BTreeMap, BTreeSet};

use relais::domain::record::Action;
use relais::web::route::{Method, Route};
use serde_json::{Value, json};

use super::callers_world::{LUC, ODILE, SOPHIE};
use super::stories_world::*;

pub const PATHWAYS: usize = 30;
/// How every canary begins: long enough to stand in no ciphertext by chance.
pub const MARK: &str = "Zqxcanari";
pub const BORN: &str = "2011-04-20";

/// Words that stand in one place, and who may read them there.
pub struct Canary {
    pub words: String,
    /// The category of what holds it.
    pub category: Option<&'static str>,
    /// The pathway that holds it, by its number; none for what is asked without one.
    pub of: Option<usize>,
    pub readers: BTreeSet<&'static str>,
    /// One who certainly finds it, when all is asked; nobody where no route shows it.
    pub surely: Option<&'static str>,
}

/// Something that a route can name, and whom it concerns: foreign to everybody else.
pub struct Thing {
    pub id: String,
    pub of: BTreeSet<&'static str>,
}

/// One pathway: its people and what it holds, by the name that a route gives to its hole.
#[derive(Default)]
pub struct Held {
    pub pathway: String,
    pub things: BTreeMap<&'static str, Vec<Thing>>,
    /// A holder of parental authority, for whom a paper is made.
    holder: String,
    versions: Vec<Value>,
}

#[derive(Default)]
pub struct Bed {
    pub held: Vec<Held>,
    pub canaries: Vec<Canary>,
    /// The pathway that is being made; none before and after.
    making: Option<usize>,
    reidentification: String,
}

/// Référent, member who reads by an accord, another member with nothing to read, the référent's manager and secretary;
/// a service that may stay hidden, the nurse, and who opens in an emergency.
pub struct People {
    referent: &'static str,
    member: &'static str,
    beside: Option<&'static str>,
    manager: &'static str,
    secretary: Option<&'static str>,
    judicial: Option<&'static str>,
    nurse: Option<&'static str>,
    emergency: &'static str,
    bound: bool,
}

pub const PEOPLE: [People; 3] = [
    People {
        referent: NADIA,
        member: SAMIRA,
        beside: Some(JULIE),
        manager: HELENE,
        secretary: Some(ODILE),
        judicial: Some(DAVID),
        nurse: Some(SOPHIE),
        emergency: SAMIRA,
        bound: true,
    },
    // The nurse's place here is over: nobody reads what she alone could.
    People {
        referent: MARC,
        member: REMI,
        beside: None,
        manager: HELENE,
        secretary: Some(ODILE),
        judicial: None,
        nurse: Some(SOPHIE),
        emergency: SOPHIE,
        bound: false,
    },
    People {
        referent: SAMIRA,
        member: CLAIRE,
        beside: None,
        manager: LUC,
        secretary: None,
        judicial: Some(CLAIRE),
        nurse: None,
        emergency: CLAIRE,
        bound: true,
    },
];

/// What a référent writes: every category but those that ask for another author. Affective environment is closed to a
/// référent who is not bound.
const WRITTEN: [&str; 10] = [
    "schooling",
    "family",
    "housing",
    "leisure",
    "mobility",
    "integration",
    "practical",
    "health_minimal",
    "evaluation",
    "affective",
];

/// Reads that nobody is asked here, each with its reason.
pub const NOT_ASKED: [(&str, &str); 6] = [
    (
        "GET /api/v1/openapi.json",
        "an open door: the same document to everybody, without a session or a record",
    ),
    ("GET /health/live", "an open door: says nothing"),
    ("GET /health/ready", "an open door: says nothing"),
    (
        "POST /api/v1/accords/{accord}/printing",
        "an act: notes that the sheet was printed, and shows nothing of it",
    ),
    ("POST /api/v1/releases/{release}/printing", "an act, as that of an accord"),
    ("POST /api/v1/me/factor", "one's own new second factor, for a password and a code: of no pathway"),
];

/// « GET /api/v1/… »
pub fn named(route: &Route) -> String {
    format!("{} {}", route.method.name(), route.path)
}

/// The routes that show something: those asked with GET, and those that are asked with POST to keep words out of
/// addresses.
pub fn reads() -> Vec<Route> {
    let shows = |a: Action| a.shows_content() || a == Action::Preview;
    api_routes().into_iter().filter(|r| r.method == Method::Get || shows(r.action)).collect()
}

fn content(category: &str, words: &str, today: &str) -> Value {
    match category {
        "practical" => json!({ "category": category, "need": "warm_clothes", "detail": words }),
        "health_minimal" => {
            json!({ "category": category, "kind": "treatment", "what": words, "when": words, "prescription_kept": words })
        }
        "health_detailed" => json!({ "category": category, "fact": words, "source": "observed" }),
        "judicial" => json!({ "category": category, "kind": "aemo", "service": words, "contact": words }),
        "evaluation" => json!({
            "category": category, "going_well": words, "worries": words, "done": words, "said_by_family": words,
            "proposed": words, "subjects": ["schooling"], "read_with_family_on": today,
        }),
        _ => json!({ "category": category, "fact": words, "source": "observed" }),
    }
}

fn set(who: &[&'static str]) -> BTreeSet<&'static str> {
    who.iter().copied().collect()
}

impl Bed {
    fn add(
        &mut self,
        category: Option<&'static str>,
        field: &str,
        readers: &[&'static str],
        surely: Option<&'static str>,
    ) -> String {
        // Letters only: numbers would be a telephone or a date to somebody.
        let n = self.canaries.len();
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        let words = format!("{MARK}{}{}{}{field}", letter(n / 676), letter(n / 26), letter(n));
        let canary =
            Canary { words: words.clone(), category, of: self.making, readers: set(readers), surely };
        self.canaries.push(canary);
        words
    }

    /// The first of the readers certainly finds it.
    fn canary(&mut self, field: &str, readers: &[&'static str]) -> String {
        self.add(None, field, readers, readers.first().copied())
    }

    /// Kept, and shown by no route.
    fn unshown(&mut self, field: &str, readers: &[&'static str]) -> String {
        self.add(None, field, readers, None)
    }

    fn put(&mut self, hole: &'static str, id: &str, of: &[&'static str]) {
        let held = &mut self.held[self.making.unwrap()];
        held.things.entry(hole).or_default().push(Thing { id: id.to_owned(), of: set(of) });
    }

    /// An item of a category, its words and its label.
    fn write(
        &mut self,
        s: &Story,
        by: &'static str,
        readers: &[&'static str],
        category: &'static str,
    ) -> Written {
        let surely = readers.first().copied();
        let label = self.add(Some(category), "intitule", readers, surely);
        let words = self.add(Some(category), "mots", readers, surely);
        let held = self.making.unwrap();
        let p = self.held[held].pathway.clone();
        let written = s.write(by, &p, &label, content(category, &words, &s.day(0)), false);
        self.put("item", &written.item, readers);
        self.held[held].versions.push(json!(written.version));
        written
    }

    /// Makes every pathway, then what concerns none of them.
    pub fn make(s: &Story) -> Self {
        let mut bed = Self::default();
        for n in 0..PATHWAYS {
            bed.making = Some(n);
            bed.pathway(s, &PEOPLE[n % PEOPLE.len()], n);
        }
        bed.making = None;
        bed.controls(s);
        bed.closed(s);
        bed
    }

    fn pathway(&mut self, s: &Story, people: &People, n: usize) {
        let (referent, member) = (people.referent, people.member);
        // An invitation that was accepted shares the name.
        let mut circle = vec![referent, member];
        circle.extend(people.beside);
        circle.extend(people.judicial.filter(|who| *who != member));
        circle.extend(people.nurse.filter(|who| *who != people.emergency));
        // Who collects an accord, and the secretary of that structure: the member collects that of the handover.
        let mut family = vec![referent, member];
        family.extend(people.secretary);
        let number = format!("065543{n:04}");
        let name = |bed: &mut Self, field: &str| bed.add(Some("identity"), field, &circle, Some(referent));
        let person = json!({
            "identity": {
                "first_name": name(self, "prenom"), "name": name(self, "nom"),
                "contacts": [{ "kind": "parent", "who": name(self, "contact"), "number": number }],
                "emergency_contacts": [{ "who": name(self, "urgence"), "number": number }],
            },
            "birth_date": BORN,
        });
        let wish = self.canary("souhait", &[referent]);
        let p = s.act(
            referent,
            "/api/v1/pathways",
            json!({
                "person": person, "preference": { "said_by": "young_person", "wish": wish, "on": s.day(0) },
                "review_on": s.day(150), "mandate": "contractual",
            }),
        );
        self.held.push(Held { pathway: p.clone(), ..Held::default() });
        let mut concerned = circle.clone();
        concerned.extend([people.manager, people.emergency]);
        concerned.extend(people.secretary);
        self.put("pathway", &p, &concerned);
        let at = |rest: &str| format!("/api/v1/pathways/{p}/{rest}");
        let holder = |bed: &mut Self| {
            let body = json!({
                "capacity": "parent", "from": "2005-01-01", "name": bed.canary("titulaire", &family),
                "number": number, "relation": bed.canary("lien", &family), "proof": bed.canary("preuve", &family),
            });
            s.act(referent, &at("holders"), body)
        };
        let (mother, father) = (holder(self), holder(self));
        self.held[n].holder.clone_from(&mother);
        let all = [mother.as_str(), father.as_str(), "young_person"];

        // The family validates these words on the accord's sheet, and the member reads them.
        let shared = self.write(s, referent, &[referent, member], "schooling");
        let mut lines = vec![s.line(member, &["schooling"], &[&shared])];
        lines.extend(people.beside.map(|b| s.line(b, &["schooling"], &[])));
        lines.extend(people.nurse.map(|b| s.line(b, &["schooling"], &[])));
        let accord = json!({ "purpose": "coordination", "starts": s.day(0), "ends": s.day(300), "language": "fr", "lines": lines });
        let accord = s.act(referent, &at("accords"), accord);
        self.put("accord", &accord, &family);
        let on = format!("/api/v1/accords/{accord}");
        let boxes: Vec<Value> =
            s.read(referent, &on)["lines"].as_array().unwrap().iter().map(|l| l["id"].clone()).collect();
        s.act(referent, &format!("{on}/printing"), Value::Null);
        s.act(referent, &format!("{on}/opinions"), json!({ "opinion": "favourable", "on": s.day(0) }));
        // Where the signed sheet stands: whoever answers for the paper finds it.
        let mut office = vec![referent, people.manager];
        office.extend(people.secretary);
        let kept = self.canary("original", &office);
        for by in all {
            let how = json!({ "mode": "paper", "original_at": kept });
            let body = json!({ "by": by, "how": how, "verified": "known", "lines": boxes, "on": s.day(0) });
            s.act(referent, &format!("{on}/signatures"), body);
        }
        let place = s.invite(
            referent,
            &p,
            member,
            if people.judicial == Some(member) { "judicial" } else { "contractual" },
        );
        self.put("participation", &place, &[member]);
        for who in people.beside.into_iter().chain(people.nurse) {
            let place = s.invite(referent, &p, who, "contractual");
            self.put("participation", &place, &[who]);
        }
        if let Some(hidden) = people.judicial.filter(|who| *who != member) {
            let accord =
                s.accord(member, &p, "coordination", 300, vec![s.line(hidden, &["schooling"], &[])], &all);
            self.put("accord", &accord, &[member, hidden]);
            let place = s.invite(member, &p, hidden, "judicial");
            self.put("participation", &place, &[hidden]);
        }
        let share = s.act(referent, &at("shares"), s.share_body("coordination", 60, &[&shared], &[&place]));
        self.put("share", &share, &[referent, member]);
        let own = self.write(s, member, &[member], "schooling");
        self.items(s, people, (&place, &own), &all);
        self.acts(s, people, (&mother, &father));
        let read = s.get(member, &format!("/api/v1/items/{}?purpose=coordination", shared.item));
        assert_eq!(read.status, 200, "{}", text(&read));
        self.looked(s, people);
        if people.emergency == SOPHIE {
            let place = s.read(SOPHIE, &at("circle"));
            let own =
                place["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
            s.act(SOPHIE, &format!("/api/v1/participations/{}/end", own.as_str().unwrap()), Value::Null);
        }
    }

    /// One item of each category, and what lets somebody else read some of them.
    fn items(&mut self, s: &Story, people: &People, (place, own): (&str, &Written), all: &[&str]) {
        let (referent, member) = (people.referent, people.member);
        let p = self.held[self.making.unwrap()].pathway.clone();
        let at = |rest: &str| format!("/api/v1/pathways/{p}/{rest}");
        let me = |who: &'static str| {
            let circle = s.read(who, &at("circle"));
            let me = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap();
            me["id"].as_str().unwrap().to_owned()
        };
        let mut written = BTreeMap::new();
        for category in WRITTEN.into_iter().filter(|c| people.bound || *c != "affective") {
            let mut readers = vec![referent];
            // By the statute, and by the opening in an emergency of one who still has a place.
            let opened = category == "health_minimal" && people.emergency == member;
            readers.extend((opened || (people.bound && category == "family")).then_some(member));
            written.insert(category, self.write(s, referent, &readers, category));
        }
        if let Some(author) = people.judicial {
            self.write(s, author, &[author], "judicial");
        }
        if let Some(nurse) = people.nurse {
            let readers: &[&'static str] = if people.emergency == nurse { &[] } else { &[SOPHIE] };
            self.write(s, nurse, readers, "health_detailed");
        }

        // Words shown to the family, for somebody who is not bound.
        if let Some((recipient, purpose, category)) = match people.referent {
            NADIA => Some((JULIE, "schooling", "schooling")),
            MARC => Some((REMI, "coordination", "housing")),
            _ => None,
        } {
            let asked = json!({ "item_version": written[category].version, "recipient": s.key(recipient), "purpose": purpose });
            let release = s.act(referent, &at("releases"), asked);
            self.put("release", &release, &[referent]);
        }
        // The statute: decided by the manager, so that the member reads; and the nurse's, for the référente.
        if people.bound {
            let motive = [referent, people.manager];
            let body = json!({
                "ground": "danger", "necessity": self.canary("necessite", &motive),
                "parents": { "information": "contrary_to_interest", "motive": "reprisals" },
                "child": { "information": "given", "on": s.day(0) },
                "items": [written["family"].version], "recipients": [place],
            });
            let statute = s.act(referent, &at("statutes"), body);
            let decision =
                json!({ "kind": "exception", "accepted": true, "motive": self.canary("decision", &motive) });
            s.act(people.manager, &format!("/api/v1/statutes/{statute}/decisions"), decision);
            self.put("statute", &statute, &[referent, people.manager, member]);
        }
        if let Some(nurse) = people.nurse.filter(|_| people.bound) {
            let item = self.write(s, nurse, &[nurse, referent], "schooling");
            let given = json!({ "information": "given", "on": s.day(0) });
            let body = json!({
                "ground": "risk", "necessity": self.canary("necessite", &[nurse]), "parents": given, "child": given,
                "items": [item.version], "recipients": [me(referent)],
            });
            let statute = s.act(nurse, &at("statutes"), body);
            self.put("statute", &statute, &[nurse, referent]);
        }
        // A handover that is not accepted: a list of subjects, no words.
        s.accord(member, &p, "handover", 200, vec![s.line(referent, &["schooling"], &[])], all);
        let body = json!({
            "incoming": me(referent), "items": [{ "item": own.item, "version": own.version }], "last_day": s.day(50),
        });
        let handover = s.act(member, &at("handovers"), body);
        self.put("handover", &handover, &[referent, member]);
        let action = self.add(Some("schooling"), "action", &[referent], Some(referent));
        let action =
            json!({ "category": "schooling", "what": action, "by_when": s.day(30), "who": me(referent) });
        let action = s.act(referent, &at("actions"), action);
        self.put("item", &action, &[referent]);
        for by in [referent, member] {
            let words = self.canary("note", &[by]);
            s.act(by, &at("notes"), json!({ "text": words }));
        }
    }

    /// What is stated, and what is decided on it: motives, for those who answer for them.
    fn acts(&mut self, s: &Story, people: &People, (mother, father): (&str, &str)) {
        let (referent, manager) = (people.referent, people.manager);
        let p = self.held[self.making.unwrap()].pathway.clone();
        let at = |rest: &str| format!("/api/v1/pathways/{p}/{rest}");
        let motive = [manager, referent];
        let ask = |holder: &str, statement: &str| {
            let body = json!({ "holder": holder, "motive": { "motive": "unknown" }, "statement": statement });
            s.act(referent, &at("impossibilities"), body)
        };
        ask(father, &self.canary("motif", &motive));
        let decided = ask(mother, &self.unshown("motif", &motive));
        let no = json!({ "accepted": false, "until": null, "motive": self.unshown("decision", &motive) });
        s.act(manager, &format!("/api/v1/impossibilities/{decided}/decisions"), no);

        // A line of « Qui a regardé ? » told later; looked at again within days, so that the manager reads why.
        let who = s.key(people.member);
        let body = json!({
            "whose": "young_person", "organisation": who["organisation"], "profession": who["profession"],
            "motive": "child_interest", "statement": self.canary("report", &[manager]),
        });
        let deferral = s.act(referent, &at("deferrals"), body);
        let yes =
            json!({ "accepted": true, "until": s.day(3), "motive": self.unshown("decision", &[manager]) });
        s.act(manager, &format!("/api/v1/deferrals/{deferral}/decisions"), yes);

        let why = self.canary("urgence", &[EMILE]);
        let opening =
            s.act(people.emergency, &at("emergencies"), json!({ "motive": why, "understood": true }));
        self.put("emergency", &opening, &[people.emergency]);
        if people.referent == NADIA {
            let remark = self.canary("examen", &[EMILE]);
            let review = json!({ "outcome": "justified", "family": "to_tell", "remark": remark });
            s.act(EMILE, &format!("/api/v1/emergencies/{opening}/review"), review);
        }
    }

    /// Records of this pathway of which a receipt can be taken: by the référent, and by the manager of a hidden service.
    fn looked(&mut self, s: &Story, people: &People) {
        let first = |seen: &Value| {
            let lines = seen["items"].as_array().unwrap();
            lines.iter().find_map(|line| line["receipts"][0].as_u64()).unwrap().to_string()
        };
        let n = self.making.unwrap();
        let p = self.held[n].pathway.clone();
        let seen = s.read(people.referent, &format!("/api/v1/pathways/{p}/consultations"));
        self.put("index", &first(&seen), &[people.referent]);
        let hidden: Vec<String> = self.held[n].things["participation"]
            .iter()
            .filter(|t| people.judicial.is_some_and(|who| t.of.contains(who)))
            .map(|t| t.id.clone())
            .collect();
        for place in hidden {
            let seen = s.read(ANNE, &format!("/api/v1/participations/{place}/consultations"));
            self.put("index", &first(&seen), &[ANNE]);
        }
    }

    /// What auditor and officer write: an access that was looked at, and whom a record stands for.
    fn controls(&mut self, s: &Story) {
        let queue = s.post(IRENE, "/api/v1/audit/reviews/search", json!({ "kind": "emergency" })).json();
        let index = queue["items"][0]["record"]["index"].clone();
        let look = json!({ "outcome": "to_follow_up", "remark": self.canary("remarque", &[IRENE]) });
        s.act(IRENE, &format!("/api/v1/audit/records/{index}/review"), look);
        let index = s.recorded("referent_pre", "create", "pathway", "permit")["index"].clone();
        let reason = self.canary("raison", &[IRENE, EMILE]);
        let ask = json!({ "of": "actor", "motive": "irregular_access", "reason": reason });
        self.reidentification = s.act(IRENE, &format!("/api/v1/audit/records/{index}/reidentification"), ask);
        let opinion = json!({ "outcome": "confirmed", "remark": self.canary("avis", &[IRENE, EMILE]) });
        let at = format!("/api/v1/audit/reidentifications/{}/decision", self.reidentification);
        s.act(EMILE, &at, opinion);
    }

    /// One more pathway, which nobody asks about: it is closed with words that nothing shows.
    fn closed(&mut self, s: &Story) {
        let p = s.open(MARC, "Noor", BORN);
        let words = self.unshown("cloture", &[MARC]);
        s.act(
            MARC,
            &format!("/api/v1/pathways/{p}/closing"),
            json!({ "reason": "achieved", "words": words }),
        );
    }

    /// Every address of every GET route, filled with everything that these pathways hold; by route.
    pub fn addresses(&self, s: &Story, which: &[usize]) -> BTreeSet<(String, String)> {
        let mut out = BTreeSet::new();
        for route in api_routes().iter().filter(|r| r.method == Method::Get) {
            let name = named(route);
            if NOT_ASKED.iter().any(|(not, _)| *not == name) {
                continue;
            }
            for held in which.iter().map(|n| &self.held[*n]) {
                let mut filled = vec![route.path.to_owned()];
                for (hole, things) in &held.things {
                    let hole = format!("{{{hole}}}");
                    filled = filled
                        .iter()
                        .flat_map(|path| {
                            let ids = if path.contains(&hole) { &things[..] } else { &things[..1] };
                            ids.iter().map(|thing| path.replace(&hole, &thing.id)).collect::<Vec<_>>()
                        })
                        .collect();
                }
                for path in filled {
                    let path = path
                        .replace("{month}", "2026-12")
                        .replace("{organisation}", s.own(SAMIRA)["organisation"].as_str().unwrap());
                    // A hole without anything to fill it is found by the list of what is not asked.
                    if path.contains('{') {
                        continue;
                    }
                    let asks: Vec<String> = match route.path {
                        p if p.ends_with("/items") => {
                            ["", "?purpose=coordination", "?purpose=protection"].map(str::to_owned).to_vec()
                        }
                        p if p.ends_with("/{item}") => {
                            ["", "?purpose=protection"].map(str::to_owned).to_vec()
                        }
                        p if p.ends_with("/consistency") => vec![String::new(), "?from=3".to_owned()],
                        p if p.ends_with("/addressees") => vec!["?purpose=coordination".to_owned()],
                        p if p.ends_with("/office") => vec![String::new(), "?closed=true".to_owned()],
                        p if p.contains("/consultations/sheet") => {
                            vec!["?for_whom=young_person".to_owned(), format!("?for_whom={}", held.holder)]
                        }
                        _ => vec![String::new()],
                    };
                    out.extend(asks.into_iter().map(|ask| (name.clone(), format!("{path}{ask}"))));
                }
            }
        }
        out
    }

    /// Reads that are asked with POST: route, address, body.
    pub fn questions(&self, s: &Story, which: &[usize]) -> Vec<(String, String, Value)> {
        let mut out = Vec::new();
        let mut ask =
            |route: &str, at: &str, body: Value| out.push((format!("POST {route}"), at.to_owned(), body));
        const ON: &str = "/api/v1/pathways/{pathway}";
        let own = json!({
            "label": "Un fait", "for_stay": false,
            "content": { "category": "schooling", "fact": "Vient le mardi", "source": "observed" },
        });
        for held in which.iter().map(|n| &self.held[*n]) {
            let at = |rest: &str| format!("/api/v1/pathways/{}/{rest}", held.pathway);
            let items: Vec<Value> = held.things["item"].iter().map(|i| json!({ "item": i.id })).collect();
            let body = json!({ "purpose": "coordination", "items": items });
            ask(&format!("{ON}/preview"), &at("preview"), body);
            ask(&format!("{ON}/items/check"), &at("items/check"), own.clone());
            // The notice of some of the versions: it would show the exact words.
            for version in held.versions.iter().step_by(3) {
                let line = json!({ "recipient": s.key(REMI), "kind": "recipient", "categories": [], "shows": [version] });
                let body = json!({
                    "purpose": "coordination", "starts": s.day(0), "ends": s.day(100), "language": "fr", "lines": [line],
                });
                ask(&format!("{ON}/accords/preview"), &at("accords/preview"), body);
            }
        }
        // The name of each pathway, and what all names begin with.
        let names = self.canaries.iter().filter(|c| c.words.ends_with("prenom")).map(|c| c.words.clone());
        for words in names.step_by(5).chain([MARK.to_owned()]) {
            ask("/api/v1/pathways/search", "/api/v1/pathways/search", json!({ "text": words }));
        }
        let days = json!({ "format": "jsonl", "from": s.day(0), "until": s.day(0) });
        for (route, body) in [
            ("/api/v1/audit/records/search", json!({})),
            ("/api/v1/audit/reviews/search", json!({ "kind": "emergency", "all": true })),
            ("/api/v1/audit/reviews/search", json!({ "kind": "statute", "all": true })),
            ("/api/v1/audit/export", days),
        ] {
            ask(route, route, body);
        }
        let reading = "/api/v1/audit/reidentifications/{reidentification}/reading";
        ask(reading, &reading.replace("{reidentification}", &self.reidentification), Value::Null);
        out
    }
}
