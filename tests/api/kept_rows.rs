//! Every row that keeps a form: what was written there when a session ended comes back into its page.
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::collections::BTreeSet;

use relais::clock::Clock;
use relais::web::keeps_forms_of;
use relais::web::route::Method;
use relais::web::routes;
use serde_json::{Value, json};

use super::callers_world::{ODILE, World};
use super::kept_forms::{browser, location, resume_of, send, words_of};
use super::stories_world::*;

/// What one form says, where, and what its page shows when it is taken up again.
struct Written {
    path: &'static str,
    /// What stands in the place of the ids of the address, and after it.
    at: String,
    who: &'static str,
    form: String,
    shown: &'static str,
}

pub const MARK: &str = "Un+mot+marqu%C3%A9";
pub const IN_AREA: &str = "Un mot marqué</textarea>";
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

/// What was written when the session ended stands in its page again, and the page says so.
fn comes_back(w: &World, one: &Written) {
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

/// The rows that keep a form, below a pathway or beyond.
fn keeping(of_a_pathway: bool) -> BTreeSet<&'static str> {
    let routes = routes::all();
    let rows = routes.iter().filter(|r| keeps_forms_of(&routes, r)).map(|r| r.path);
    rows.filter(|path| path.starts_with("/parcours/") == of_a_pathway).collect()
}

/// Every page of a pathway that keeps a form. What this walk does not know, it asks for.
#[test]
fn a_text_left_on_any_page_of_a_pathway_comes_back_into_it() {
    let w = World::begin();
    let all = written(&w);
    let known: BTreeSet<&str> = all.iter().map(|one| one.path).collect();
    assert_eq!(keeping(true), known, "what is written there, and where does it come back?");
    for one in &all {
        if one.path == RATED {
            hand_over(&w);
        }
        comes_back(&w, one);
    }
    // Where nothing is written, nothing is said to be kept.
    let (client, _) = browser(&w.s, NADIA);
    assert_eq!(location(&send(&client, "/quitter", "")), "/au-revoir");
    let routes = routes::all();
    for (path, _) in NOTHING_WRITTEN {
        let served = |method| routes.iter().any(|r| r.method == method && r.path == path);
        assert!(served(Method::Get) && served(Method::Post), "{path}: a row that is no more");
        let filled = |part: &str| match part {
            "{pathway}" => w.p.clone(),
            part if part.starts_with('{') => "a".repeat(26),
            part => part.to_owned(),
        };
        let at = path.split('/').map(filled).collect::<Vec<_>>().join("/");
        assert_eq!(location(&send(&client, &at, "version=x")), "/connexion", "{path}");
    }
}

/// The pages of who manages, keeps the office, controls and decides as second person.
#[test]
fn a_text_left_on_any_other_page_that_keeps_one_comes_back_into_it() {
    let w = World::begin();
    let (s, p) = (&w.s, &w.p);
    let words = |field: &str| format!("{field}={MARK}");
    let one = |path: &'static str, at: String, who: &'static str, form: String, shown: &'static str| {
        Written { path, at, who, form, shown }
    };
    let index = s.recorded("referent_pre", "create", "pathway", "permit")["index"].to_string();
    let deferral = s.act(NADIA, &w.at("deferrals"), w.deferral_body());
    let emergency = s.act(SAMIRA, &w.at("emergencies"), w.emergency_body());
    let identity = w.reidentification("decision");
    let identity = identity.split('/').nth_back(1).unwrap();
    let draft = w.draft();
    let mut all = vec![
        one(
            "/responsable/decisions/{decision}/{subject}",
            format!("/responsable/decisions/{deferral}/report"),
            HELENE,
            words("motive"),
            IN_AREA,
        ),
        one(
            "/responsable/places/{participation}",
            format!("/responsable/places/{}", w.claire),
            ANNE,
            "how=stand_in&last_day=2027-02-03".to_owned(),
            IN_DAY,
        ),
        one(
            "/secretariat/{pathway}/accords/{accord}",
            format!("/secretariat/{p}/accords/{draft}"),
            ODILE,
            words("how.original_at"),
            IN_LINE,
        ),
        one(
            "/secretariat/{pathway}/retrait",
            format!("/secretariat/{p}/retrait"),
            ODILE,
            "by=parent&scope=subject&category=schooling&channel=letter".to_owned(),
            "value=\"schooling\" selected",
        ),
        one("/urgences/{emergency}", format!("/urgences/{emergency}"), EMILE, words("remark"), IN_AREA),
        one(
            "/identites/{reidentification}",
            format!("/identites/{identity}"),
            EMILE,
            words("remark"),
            IN_AREA,
        ),
        one(
            "/controle/{index}/identite",
            format!("/controle/{index}/identite"),
            IRENE,
            words("reason"),
            IN_AREA,
        ),
        one("/controle/{index}/examen", format!("/controle/{index}/examen"), IRENE, words("remark"), IN_AREA),
    ];
    for one in &all {
        comes_back(&w, one);
    }
    // Past the twelve months of the charter.
    s.go_days(400);
    let ask =
        one("/conservation/demander", "/conservation/demander".to_owned(), IRENE, words("reason"), IN_AREA);
    comes_back(&w, &ask);
    // A one-time code is good once.
    s.go(s.server.clock.now().plus_seconds(31));
    let at = "/api/v1/audit/prunings";
    let due = s.read(IRENE, &format!("{at}/prospects"))["items"][0].clone();
    let input = json!({ "class": due["class"], "before": due["before"], "reason": "Terme échu." });
    let asked = format!("/conservation/{}", s.act(IRENE, at, input));
    let decide = one("/conservation/{pruning}", asked, EMILE, words("remark"), IN_AREA);
    comes_back(&w, &decide);
    all.extend([ask, decide]);
    let known: BTreeSet<&str> = all.iter().map(|one| one.path).collect();
    assert_eq!(keeping(false), known, "what is written there, and where does it come back?");
}
