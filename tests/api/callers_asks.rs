//! A minimal valid request for each route of the table, on the pathway of [`World`].
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use relais::clock::Clock;
use relais::crypto::totp::{self, TotpSecret};
use serde_json::{Value, json};

use super::callers_world::*;
use super::stories_world::*;

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
        "me" | "me/sessions" | "pathways" | "today" | "invitations" | "organisations" | "charter"
        | "danger" => api(NADIA, rest),
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
        "pathways/{pathway}/releases" => get(NADIA, w.at("releases")),
        "pathways/{pathway}/shares" => get(NADIA, w.at("shares")),
        "pathways/{pathway}/spoken" => get(NADIA, w.at("spoken")),
        "pathways/{pathway}/transmissions" => get(SAMIRA, w.at("transmissions")),
        "pathways/{pathway}/handovers" => get(SAMIRA, w.at("handovers")),
        "pathways/{pathway}/successions" => get(NADIA, w.at("successions")),
        "pathways/{pathway}/items/writing" => get(NADIA, w.at("items/writing")),
        "pathways/{pathway}/consultations/{index}/proof" => {
            // Samira reads; Nadia takes the receipt for the family.
            w.s.get(SAMIRA, &format!("/api/v1/items/{}?purpose=coordination", w.school.item));
            let seen = w.s.read(NADIA, &w.at("consultations"));
            let lines = seen["items"].as_array()?;
            let index = lines.iter().find_map(|line| line["receipts"][0].as_u64())?;
            get(NADIA, w.at(&format!("consultations/{index}/proof")))
        }
        "participations/{participation}/consultations" => {
            api(ANNE, &format!("participations/{}/consultations", w.claire))
        }
        "participations/{participation}/consultations/{index}/proof" => {
            // Claire writes, and reads it back; her manager takes the receipt for the family.
            w.s.fact(CLAIRE, &w.p, "schooling", "Lit beaucoup");
            let at = format!("participations/{}/consultations", w.claire);
            let seen = w.s.read(ANNE, &format!("/api/v1/{at}"));
            let lines = seen["items"].as_array()?;
            let index = lines.iter().find_map(|line| line["receipts"][0].as_u64())?;
            api(ANNE, &format!("{at}/{index}/proof"))
        }
        "me/acts" => api(NADIA, rest),
        "me/acts/{index}/proof" => {
            let acts = w.s.read(NADIA, "/api/v1/me/acts");
            api(NADIA, &format!("me/acts/{}/proof", acts["items"][0]["index"]))
        }
        "pathways/{pathway}/consultations" => get(NADIA, w.at("consultations")),
        "pathways/{pathway}/consultations/sheet" => {
            get(NADIA, w.at("consultations/sheet?for_whom=young_person"))
        }
        "pathways/{pathway}/consultations/sheet.csv" => {
            get(NADIA, w.at("consultations/sheet.csv?for_whom=young_person"))
        }
        "participations/{participation}/consultations/sheet" => {
            api(ANNE, &format!("participations/{}/consultations/sheet?for_whom=young_person", w.claire))
        }
        "pathways/{pathway}/deferrals" => get(NADIA, w.at("deferrals")),
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
        "pathways/{pathway}/statutes" => get(NADIA, w.at("statutes")),
        "statutes/{statute}" => api(NADIA, &format!("statutes/{}", w.statute())),
        "manager/decisions" | "office" => api(HELENE, rest),
        "addressees" => api(NADIA, "addressees?purpose=coordination"),
        "handover-ratings" => api(ALICE, rest),
        "pathways/{pathway}/shares/{share}" => get(NADIA, w.at(&format!("shares/{}", w.share))),
        "pathways/{pathway}/handovers/{handover}" => {
            get(SAMIRA, w.at(&format!("handovers/{}", w.handover())))
        }
        "pathways/{pathway}/emergencies" => get(SAMIRA, w.at("emergencies")),
        "emergencies/{emergency}" => api(SAMIRA, &format!("emergencies/{}", w.emergency())),
        "emergencies" => api(EMILE, rest),
        "audit/records/{index}" => api(IRENE, "audit/records/3"),
        "audit/records/{index}/proof" => api(IRENE, "audit/records/3/proof"),
        "audit/consistency" => api(IRENE, "audit/consistency?from=2"),
        // A month that is over, before there was a log.
        "audit/reports/{month}" => api(IRENE, "audit/reports/2026-01"),
        "audit/reports/{month}/note" => api(IRENE, "audit/reports/2026-01/note"),
        "audit/checkpoint" | "audit/state" => api(IRENE, rest),
        "audit/reidentifications" | "audit/prunings" | "audit/prunings/prospects" => api(EMILE, rest),
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
        ("POST", "pathways/{pathway}/emergencies") => post(SAMIRA, w.at("emergencies"), w.emergency_body()),
        ("POST", "emergencies/{emergency}/review") => post(
            EMILE,
            format!("/api/v1/emergencies/{}/review", w.emergency()),
            json!({ "outcome": "justified", "family": "to_tell", "remark": "Le SAMU le demandait." }),
        ),
        ("POST", "emergencies/{emergency}/telling" | "emergencies/{emergency}/closing") => {
            let last = rest.rsplit('/').next().unwrap_or_default();
            get(SAMIRA, format!("/api/v1/emergencies/{}/{last}", w.emergency()))
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
            let version = &s.read(NADIA, &format!("/api/v1/pathways/{}", w.p))["person_version"];
            on(
                "identity",
                json!({
                    "version": version, "identity": identity, "birth_date": SIXTEEN,
                    "given_by_young_person": true,
                }),
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
        ("POST", "pathways/{pathway}/deferrals") => on("deferrals", w.deferral_body()),
        ("POST", "deferrals/{deferral}/decisions") => {
            let id = s.act(NADIA, &w.at("deferrals"), w.deferral_body());
            let body = json!({ "accepted": true, "until": s.day(20), "motive": "Danger établi." });
            post(HELENE, format!("/api/v1/deferrals/{id}/decisions"), body)
        }
        ("POST", "deferrals/{deferral}/end") => {
            let id = s.act(NADIA, &w.at("deferrals"), w.deferral_body());
            get(NADIA, format!("/api/v1/deferrals/{id}/end"))
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

fn on_accord(id: &str, what: &str, body: Value) -> Ask {
    post(NADIA, format!("/api/v1/accords/{id}/{what}"), body)
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
        ("POST", "pathways/{pathway}/accords/preview") => {
            post(NADIA, w.at("accords/preview"), w.accord_body("coordination", "leisure"))
                .or_wrong(&w.at("accords/preview"), Some(w.accord_body("stay", "schooling")))
        }
        ("POST", "accords/{accord}/printing") => {
            get(NADIA, format!("/api/v1/accords/{}/printing", w.draft()))
        }
        ("POST", "accords/{accord}/signatures") => {
            on_accord(&w.draft(), "signatures", w.signature(&w.mother, paper))
        }
        ("POST", "accords/{accord}/sheets") => {
            let id = w.draft();
            let aloud = w.signature(&w.mother, json!({ "mode": "oral_present", "read_aloud": true }));
            s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), aloud);
            let body = json!({ "by": w.mother, "on": s.day(0), "original_at": "Classeur" });
            on_accord(&id, "sheets", body)
        }
        ("POST", "accords/{accord}/opinions") => {
            on_accord(&w.draft(), "opinions", json!({ "opinion": "favourable", "on": s.day(0) }))
        }
        ("POST", "accords/{accord}/refusals") => on_accord(&w.draft(), "refusals", no(&w.father)),
        ("POST", "accords/{accord}/withdrawals") => on_accord(&w.signed(), "withdrawals", no(&w.mother)),
        ("POST", "accords/{accord}/oppositions") => {
            let id = w.draft();
            let signature = w.signature(&w.mother, paper);
            s.act(NADIA, &format!("/api/v1/accords/{id}/signatures"), signature);
            on_accord(&id, "oppositions", no(&w.father))
        }
        ("POST", "accords/{accord}/talks") => on_accord(&w.draft(), "talks", json!({ "maintained": true })),
        ("POST", "pathways/{pathway}/releases") => post(NADIA, w.at("releases"), w.release_body("schooling"))
            .or_wrong(&w.at("releases"), Some(w.release_body("stay"))),
        ("POST", "accords") => {
            let sister = s.open(NADIA, "Maya", SIXTEEN);
            let body = json!({
                "pathways": [w.p, sister], "purpose": "coordination", "starts": s.day(0), "ends": s.day(100),
                "language": "fr",
                "lines": [{ "recipient": s.line(SAMIRA, &["leisure"], &[])["recipient"], "kind": "recipient", "categories": ["leisure"] }],
            });
            post(NADIA, "/api/v1/accords".to_owned(), body)
        }
        ("POST", "releases/{release}/printing") => {
            get(NADIA, format!("/api/v1/releases/{}/printing", w.release()))
        }
        ("POST", "releases/{release}/opinions") => post(
            NADIA,
            format!("/api/v1/releases/{}/opinions", w.release()),
            json!({ "opinion": "favourable", "on": s.day(0) }),
        ),
        ("POST", "releases/{release}/talks") => {
            post(NADIA, format!("/api/v1/releases/{}/talks", w.release()), json!({ "maintained": true }))
        }
        ("POST", "releases/{release}/oppositions") => {
            let id = w.release();
            let signature = w.signature(&w.mother, paper);
            s.act(NADIA, &format!("/api/v1/releases/{id}/signatures"), signature);
            post(NADIA, format!("/api/v1/releases/{id}/oppositions"), no(&w.father))
        }
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
        ("POST", "pathways/{pathway}/handovers/{handover}/rating") => {
            let list = s.read(SAMIRA, &w.at("handovers"));
            let half = list["items"].as_array().unwrap().iter().find(|h| h["state"] == "half_confirmed");
            let id = half.unwrap()["id"].as_str().unwrap().to_owned();
            let confirmed = s.of(NADIA).send("POST", &w.at(&format!("handovers/{id}/confirmation")), None);
            assert_eq!(confirmed.status, 204, "{}", text(&confirmed));
            post(NADIA, w.at(&format!("handovers/{id}/rating")), json!({ "started_again": "partly" }))
        }
        ("POST", "audit/export") => {
            let input = json!({ "format": "fhir", "from": s.day(0), "until": s.day(0) });
            post(IRENE, "/api/v1/audit/export".to_owned(), input)
        }
        ("POST", "audit/reviews/search") => {
            post(IRENE, "/api/v1/audit/reviews/search".to_owned(), json!({ "kind": "emergency" }))
        }
        ("POST", "audit/records/{index}/review") => {
            // Samira's opening, which the route that opens has made.
            let queue = json!({ "kind": "emergency" });
            let found = w.s.post(IRENE, "/api/v1/audit/reviews/search", queue).json();
            let index = found["items"][0]["record"]["index"].as_u64().unwrap();
            post(IRENE, format!("/api/v1/audit/records/{index}/review"), json!({ "outcome": "regular" }))
        }
        ("POST", "audit/records/{index}/reidentification") => {
            post(IRENE, w.reidentification_at(), w.reidentification_body("pathway"))
        }
        ("POST", "audit/reidentifications/{reidentification}/decision") => {
            post(EMILE, w.reidentification("decision"), w.second_opinion())
        }
        ("POST", "audit/reidentifications/{reidentification}/reading") => {
            // What the route that decides has confirmed.
            let list = w.s.read(IRENE, "/api/v1/audit/reidentifications");
            let open = list["items"].as_array().unwrap().iter().find(|r| r["may_read"] == true).unwrap();
            let id = open["id"].as_str().unwrap();
            get(IRENE, format!("/api/v1/audit/reidentifications/{id}/reading"))
        }
        ("POST", "audit/prunings") => {
            // Past the twelve months of the charter.
            s.go_days(400);
            let due = s.read(IRENE, "/api/v1/audit/prunings/prospects")["items"][0].clone();
            let input = json!({ "class": due["class"], "before": due["before"], "reason": "Terme échu." });
            post(IRENE, "/api/v1/audit/prunings".to_owned(), input)
        }
        ("POST", "audit/prunings/{pruning}/decision") => {
            // What the route that asks has made.
            let id = s.read(EMILE, "/api/v1/audit/prunings")["items"][0]["id"].clone();
            let path = format!("/api/v1/audit/prunings/{}/decision", id.as_str().unwrap());
            post(EMILE, path, json!({ "outcome": "confirmed", "remark": "Charte et dates relues." }))
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
        ("POST", "me/factor") => {
            let (client, body) = w.factor(ODILE);
            Ask { client: Some(client), ..api(ODILE, rest, body) }
        }
        // Somebody who does nothing else here: the way in of the demonstration is good no more.
        ("POST", "me/factor/confirm") => {
            let (client, body) = w.factor(KARINE);
            let offered = client.post("/api/v1/me/factor", &body).json();
            let secret = TotpSecret::from_base32(offered["totp_secret"].as_str().unwrap()).unwrap();
            let totp = totp::code(&secret, s.server.clock.now()).unwrap();
            let body = json!({ "ticket": offered["ticket"], "totp": totp.as_str() });
            Ask { client: Some(client), ..api(KARINE, rest, body) }
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
        ("PUT", "organisations/{organisation}/sheet-names") => {
            let id = s.own(HELENE)["organisation"].as_str().unwrap().to_owned();
            api(HELENE, &format!("organisations/{id}/sheet-names"), json!({ "named": false }))
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
