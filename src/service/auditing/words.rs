//! The meaning of a record in one French sentence: who (by pseudonym, profession and structure), what, why, when, and
//! how it ended. It says nothing that the record does not: no name, no content.

use chrono::Timelike;

use crate::audit::{LeafBody, Pseudonym};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::explain::{Context, sentence as explained};
use crate::domain::record::{Action, ResourceKind, Verdict};

/// How many digits of a pseudonym a sentence shows; the record has them all.
const SHOWN: usize = 14;

/// What it was done to, with its article.
const fn object(resource: ResourceKind) -> &'static str {
    match resource {
        ResourceKind::Pathway => "un parcours",
        ResourceKind::Identity => "l'identité",
        ResourceKind::Circle => "le cercle",
        ResourceKind::Chronology => "la chronologie",
        ResourceKind::Participation => "une participation",
        ResourceKind::Preference => "le choix du référent",
        ResourceKind::Holder => "un titulaire de l'autorité parentale",
        ResourceKind::Impossibility => "une impossibilité de joindre un titulaire",
        ResourceKind::Item => "un élément d'information",
        ResourceKind::Note => "une note personnelle",
        ResourceKind::ActionItem => "une action",
        ResourceKind::Accord => "un accord",
        ResourceKind::Release => "une validation par la famille",
        ResourceKind::Share => "un partage",
        ResourceKind::Statute => "un partage prévu par la loi",
        ResourceKind::Handover => "un passage de relais",
        ResourceKind::Succession => "un remplacement",
        ResourceKind::OralNote => "une parole donnée",
        ResourceKind::Transmission => "la mention d'une transmission",
        ResourceKind::Consultations => "« Qui a consulté »",
        ResourceKind::Deferral => "une ligne reportée de « Qui a consulté »",
        ResourceKind::Account => "un compte",
        ResourceKind::Session => "une session",
        ResourceKind::Organisation => "une structure",
        ResourceKind::Professional => "un professionnel",
        ResourceKind::Assignment => "une affectation",
        ResourceKind::Charter => "la charte",
        ResourceKind::AuditLog => "le journal des accès",
        ResourceKind::Checkpoint => "un point de contrôle du journal",
        ResourceKind::Instance => "l'instance",
        ResourceKind::Request => "une demande",
        ResourceKind::Emergency => "un accès en urgence",
        ResourceKind::AccessReview => "l'examen d'un accès",
        ResourceKind::LogExport => "un export du journal",
        ResourceKind::MonthlyReport => "le rapport mensuel du journal",
        ResourceKind::Reidentification => "une demande d'identité",
        ResourceKind::KeptForm => "un texte non envoyé",
    }
}

/// What was done, as it was done and as it could not be: « a consulté un accord », « consulter un accord ».
fn deed(action: Action, resource: ResourceKind) -> (String, String) {
    let both = |past: &str, infinitive: &str| {
        (format!("a {past} {}", object(resource)), format!("{infinitive} {}", object(resource)))
    };
    let whole = |past: &str, infinitive: &str| (past.to_owned(), infinitive.to_owned());
    match (action, resource) {
        (Action::SignIn, _) => whole("s'est connecté", "se connecter"),
        (Action::SignOut, _) => whole("s'est déconnecté", "se déconnecter"),
        (Action::Search, ResourceKind::Checkpoint) => {
            whole("a vérifié tout le journal", "vérifier tout le journal")
        }
        (Action::Accept, ResourceKind::Account) => whole("a ouvert son compte", "ouvrir son compte"),
        (Action::Maintain, ResourceKind::AuditLog) => whole(
            "a comparé les données au journal : elles s'accordent",
            "retrouver dans les données ce que le journal dit avoir écrit",
        ),
        (Action::Export, ResourceKind::AuditLog) => {
            whole("a emporté le reçu d'une trace", "emporter le reçu d'une trace")
        }
        (Action::Export, ResourceKind::MonthlyReport) => {
            whole("a emporté le rapport mensuel, signé", "emporter le rapport mensuel, signé")
        }
        (Action::List, kind) => {
            let list = kind.french();
            (format!("a ouvert la liste « {list} »"), format!("ouvrir la liste « {list} »"))
        }
        (Action::Create, ResourceKind::Emergency) => both("ouvert", "ouvrir"),
        (Action::Read, ResourceKind::Emergency) => both("lu, par", "lire, par"),
        (Action::Confirm, ResourceKind::Emergency) => both("examiné", "examiner"),
        (Action::Update, ResourceKind::Emergency) => whole(
            "a noté que la famille sait d'un accès en urgence",
            "noter que la famille sait d'un accès en urgence",
        ),
        (Action::Create, ResourceKind::AccessReview) => {
            whole("a enregistré l'examen d'un accès", "enregistrer l'examen d'un accès")
        }
        (Action::Create, ResourceKind::Reidentification) => {
            whole("a demandé qui est derrière un pseudonyme", "demander qui est derrière un pseudonyme")
        }
        (Action::Decline, ResourceKind::Reidentification) => {
            both("refusé, en seconde personne,", "refuser, en seconde personne,")
        }
        (Action::Read, ResourceKind::Reidentification) => {
            whole("a lu qui est derrière un pseudonyme", "lire qui est derrière un pseudonyme")
        }
        (Action::Share, ResourceKind::Share) => both("fait", "faire"),
        (Action::Sign, ResourceKind::Charter) => both("signé", "signer"),
        (Action::Sign, ResourceKind::Organisation) => {
            whole("a signé la charte pour une structure", "signer la charte pour une structure")
        }
        (Action::Sign, _) => both("recueilli une signature pour", "recueillir une signature pour"),
        (Action::Refuse, _) => both("recueilli un refus pour", "recueillir un refus pour"),
        (Action::Withdraw, _) => both("recueilli un retrait pour", "recueillir un retrait pour"),
        (Action::Oppose, _) => both("recueilli une opposition pour", "recueillir une opposition pour"),
        (Action::Read, _) => both("consulté", "consulter"),
        (Action::Search, _) => both("cherché dans", "chercher dans"),
        (Action::Preview, _) => both("vérifié, avant de partager, qui lirait", "vérifier qui lirait"),
        (Action::Print, _) => both("imprimé", "imprimer"),
        (Action::Export, _) => both("emporté", "emporter"),
        (Action::Create, _) => both("créé", "créer"),
        (Action::Update, _) => both("modifié", "modifier"),
        (Action::Share, _) => both("partagé", "partager"),
        (Action::End, _) => both("mis fin à", "mettre fin à"),
        (Action::Invite, _) => both("invité quelqu'un pour", "inviter quelqu'un pour"),
        (Action::Accept, _) => both("accepté", "accepter"),
        (Action::Decline, _) => both("décliné", "décliner"),
        (Action::Confirm, _) => both("confirmé, en seconde personne,", "confirmer, en seconde personne,"),
        (Action::Publish, _) => both("publié", "publier"),
        (Action::Maintain, _) => both("entretenu", "entretenir"),
        (Action::Attest, _) => {
            whole("a fait attester le journal par un témoin", "faire attester le journal par un témoin")
        }
        (Action::AcceptGap, _) => whole(
            "a déclaré, à deux, que la fin du journal est perdue",
            "déclarer que la fin du journal est perdue",
        ),
        (Action::Erase, _) => both("effacé, à l'échéance,", "effacer, à l'échéance,"),
    }
}

/// « 2027d:0a1b2c3d… »
fn short(pseudonym: &Pseudonym) -> String {
    pseudonym.as_str().chars().take(SHOWN).chain(['…']).collect()
}

fn subject(body: &LeafBody, organisation: Option<&str>) -> String {
    let who = match (body.profession, organisation) {
        (Some(p), Some(o)) => format!("{} ({o})", p.french()),
        (Some(p), None) => p.french().to_owned(),
        (None, Some(o)) => o.to_owned(),
        (None, None) if body.actor.is_some() => "Quelqu'un sans affectation choisie".to_owned(),
        (None, None) if body.count.is_some() => "Quelqu'un sans session".to_owned(),
        (None, None) => "Le service lui-même".to_owned(),
    };
    match &body.actor {
        Some(actor) => format!("{who}, {},", short(actor)),
        None => who,
    }
}

/// « 14 mars 2027 à 10 h 05 », in Paris.
fn moment(at: Timestamp) -> String {
    let local = at.utc().with_timezone(&chrono_tz::Europe::Paris);
    format!("{} à {} h {:02}", french_date(at.paris_day()), local.hour(), local.minute())
}

/// What happened.
pub(in crate::service) fn sentence(body: &LeafBody, organisation: Option<&str>) -> String {
    let (done, infinitive) = deed(body.action, body.resource);
    let mut out = subject(body, organisation);
    out.push(' ');
    match body.decision {
        Verdict::Permit => out.push_str(&done),
        Verdict::Deny | Verdict::Failed => out.push_str(&format!("n'a pas pu {infinitive}")),
    }
    if !body.categories.is_empty() {
        let names: Vec<&str> = body.categories.iter().map(|c| c.french()).collect();
        out.push_str(&format!(" ({})", names.join(", ")));
    }
    if let Some(purpose) = body.purpose {
        out.push_str(&format!(", pour « {} »", purpose.french()));
    }
    if let Some(count) = body.count {
        let what = if (body.action, body.resource) == (Action::Maintain, ResourceKind::AuditLog) {
            if count > 1 { "désaccords" } else { "désaccord" }
        } else {
            "fois"
        };
        out.push_str(&format!(", {count} {what}"));
    }
    out.push_str(&format!(", le {}.", moment(body.at)));
    match body.decision {
        Verdict::Permit => {}
        Verdict::Failed if (body.action, body.resource) == (Action::Maintain, ResourceKind::AuditLog) => {
            out.push_str(" Des données ne sont plus celles que le journal dit avoir écrites : lancez `relais audit reconcile`, qui nomme les traces et les lignes.");
        }
        // The name of the witness stands in the basis, the sizes in the clauses.
        Verdict::Failed if body.action == Action::Attest => out.push_str(
            " Ce témoin dit que le journal ne prolonge pas celui qu'il a vu. Ne touchez à rien et prévenez le responsable du traitement.",
        ),
        Verdict::Failed => out.push_str(
            " Échoué : la demande était incomplète ou mal écrite, ou le service n'a pas pu répondre.",
        ),
        Verdict::Deny => {
            out.push_str(" Refusé");
            out.push_str(if body.reasons.is_empty() { "." } else { " :" });
            for reason in &body.reasons {
                out.push(' ');
                out.push_str(&explained(*reason, &Context::default()));
            }
            for rule in body.clauses.iter().filter_map(|clause| clause.strip_prefix("rule=")) {
                out.push_str(&format!(" Règle : `{rule}`."));
            }
        }
    }
    out
}
