//! The meaning of a record in one French sentence: who (by pseudonym, profession and structure), what, why, when, and
//! how it ended. It says nothing that the record does not: no name, no content.

use chrono::Timelike;

use crate::audit::{LeafBody, Pseudonym};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::explain::{Context, sentence as explained};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::domain::rules::rule;

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
        ResourceKind::Pruning => "un élagage du journal",
        ResourceKind::KeptForm => "un texte non envoyé",
    }
}

/// The list of such things, in words.
const fn list_of(resource: ResourceKind) -> &'static str {
    match resource {
        ResourceKind::Pathway => "la liste des parcours",
        ResourceKind::Identity => "la liste des identités",
        ResourceKind::Circle => "la liste du cercle",
        ResourceKind::Chronology => "la chronologie",
        ResourceKind::Participation => "la liste des invitations et des places",
        ResourceKind::Preference => "la liste des choix de référent",
        ResourceKind::Holder => "la liste des titulaires de l'autorité parentale",
        ResourceKind::Impossibility => "la liste des impossibilités de joindre un titulaire",
        ResourceKind::Item => "la liste des informations",
        ResourceKind::Note => "la liste de ses notes personnelles",
        ResourceKind::ActionItem => "la liste des actions",
        ResourceKind::Accord => "la liste des accords",
        ResourceKind::Release => "la liste des validations par la famille",
        ResourceKind::Share => "la liste des partages",
        ResourceKind::Statute => "la liste des décisions et des partages prévus par la loi",
        ResourceKind::Handover => "la liste des passages de relais",
        ResourceKind::Succession => "la liste des remplacements",
        ResourceKind::OralNote => "la liste des paroles données",
        ResourceKind::Transmission => "la liste des transmissions",
        ResourceKind::Consultations => "« Qui a consulté »",
        ResourceKind::Deferral => "la liste des lignes reportées de « Qui a consulté »",
        ResourceKind::Account => "la liste des comptes",
        ResourceKind::Session => "la liste de ses sessions",
        ResourceKind::Organisation => "la liste des structures",
        ResourceKind::Professional => "la liste des professionnels",
        ResourceKind::Assignment => "la liste des affectations qui attendent",
        ResourceKind::Charter => "la liste des versions de la charte",
        ResourceKind::AuditLog => "la liste de ses propres actes",
        ResourceKind::Checkpoint => "la liste des points de contrôle",
        ResourceKind::Instance => "la liste des instances",
        ResourceKind::Request => "la liste des demandes",
        ResourceKind::Emergency => "la liste des accès en urgence",
        ResourceKind::AccessReview => "la liste des examens d'accès",
        ResourceKind::LogExport => "la liste des exports du journal",
        ResourceKind::MonthlyReport => "la liste des rapports mensuels",
        ResourceKind::Reidentification => "la liste des demandes d'identité",
        ResourceKind::Pruning => "la liste des demandes d'élagage",
        ResourceKind::KeptForm => "la liste de ses textes non envoyés",
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
            let list = list_of(kind);
            (format!("a ouvert {list}"), format!("ouvrir {list}"))
        }
        (Action::Update, ResourceKind::Account) => {
            whole("a changé son mot de passe", "changer son mot de passe")
        }
        (Action::Preview, ResourceKind::Account) => whole(
            "a demandé à installer son second facteur sur un autre téléphone",
            "demander à installer son second facteur sur un autre téléphone",
        ),
        (Action::Confirm, ResourceKind::Account) => {
            whole("a installé son second facteur", "installer son second facteur")
        }
        (Action::Read, ResourceKind::Account) => whole("a consulté son compte", "consulter son compte"),
        (Action::Confirm, ResourceKind::Professional) => {
            whole("a reconnu la personne d'un compte", "reconnaître la personne d'un compte")
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
        (Action::Create, ResourceKind::Pruning) => both("demandé", "demander"),
        (Action::Decline, ResourceKind::Pruning) => {
            both("refusé, en seconde personne,", "refuser, en seconde personne,")
        }
        (Action::Prune, _) => {
            whole("a élagué le journal de traces arrivées à leur terme", "élaguer le journal")
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

/// « Éducateur (Rue & Liens), 2027d:0a1b2c3d… »
pub(super) fn who(body: &LeafBody, organisation: Option<&str>) -> String {
    let who = match (body.profession, organisation) {
        (Some(p), Some(o)) => format!("{} ({o})", p.french()),
        (Some(p), None) => p.french().to_owned(),
        (None, Some(o)) => o.to_owned(),
        (None, None) if body.actor.is_some() => "Quelqu'un sans affectation choisie".to_owned(),
        (None, None) if body.count.is_some() => "Quelqu'un sans session".to_owned(),
        (None, None) => "Le service lui-même".to_owned(),
    };
    match &body.actor {
        Some(actor) => format!("{who}, {}", short(actor)),
        None => who,
    }
}

/// What somebody did, told to that person: « Vous avez consulté un accord ». Without its moment.
pub(in crate::service) fn own_deed(body: &LeafBody) -> String {
    let (done, _) = deed(body.action, body.resource);
    let yours = done.replace(" son ", " votre ").replace(" ses ", " vos ");
    let mut out = match (yours.strip_prefix("a "), yours.strip_prefix("s'est ")) {
        (Some(rest), _) => format!("Vous avez {rest}"),
        (None, Some(rest)) => format!("Vous vous êtes {rest}"),
        (None, None) => yours,
    };
    out.push_str(&about(body));
    out
}

/// « 14 mars 2027 à 10 h 05 », in Paris.
pub(in crate::service) fn moment(at: Timestamp) -> String {
    let local = at.utc().with_timezone(&chrono_tz::Europe::Paris);
    format!("{} à {} h {:02}", french_date(at.paris_day()), local.hour(), local.minute())
}

/// Subjects and purpose.
fn about(body: &LeafBody) -> String {
    let mut out = String::new();
    if !body.categories.is_empty() {
        let names: Vec<&str> = body.categories.iter().map(|c| c.french()).collect();
        out.push_str(&format!(" ({})", names.join(", ")));
    }
    if let Some(purpose) = body.purpose {
        out.push_str(&format!(", pour « {} »", purpose.french()));
    }
    out
}

/// What happened.
pub(in crate::service) fn sentence(body: &LeafBody, organisation: Option<&str>) -> String {
    let (done, infinitive) = deed(body.action, body.resource);
    let mut out = who(body, organisation);
    out.push_str(if body.actor.is_some() { ", " } else { " " });
    match body.decision {
        Verdict::Permit => out.push_str(&done),
        Verdict::Deny | Verdict::Failed => out.push_str(&format!("n'a pas pu {infinitive}")),
    }
    out.push_str(&about(body));
    if let Some(count) = body.count {
        let what = if (body.action, body.resource) == (Action::Maintain, ResourceKind::AuditLog) {
            if count > 1 { "désaccords" } else { "désaccord" }
        } else if body.action == Action::Prune {
            if count > 1 { "traces" } else { "trace" }
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
            for code in body.clauses.iter().filter_map(|clause| clause.strip_prefix("rule=")) {
                let named = format!("{}.", rule(code).unwrap_or(code));
                // A reason may have said it already.
                if !out.to_lowercase().ends_with(&named.to_lowercase()) {
                    out.push_str(&format!(" Règle : {named}"));
                }
            }
        }
    }
    out
}
