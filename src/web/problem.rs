//! Errors as RFC 9457 problem documents: a stable code, and French sentences that say what to do.
//!
//! INVARIANT: refused and absent are the same bytes: [`Problem::not_found`] takes no argument.
//! INVARIANT: nothing that was sent stands in a problem; only paths of fields do.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::explain::{Context, repair_line, sentence};
use crate::service::{ALREADY_RECORDED, ServiceError};

/// Seconds after which it is worth asking again when the log or the database did not answer.
const RETRY_UNAVAILABLE: u32 = 2;

/// Codes of rules that the edge itself holds, with statuses of their own.
pub mod edge {
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    pub const BODY_NOT_JSON: &str = "body_not_json";
    pub const BODY_TOO_SLOW: &str = "body_too_slow";
    pub const BODY_BROKEN: &str = "body_broken";
    pub const BODY_UNEXPECTED: &str = "body_unexpected";
    pub const CROSS_SITE: &str = "cross_site_request";
    pub const IF_MATCH_NOT_READ: &str = "if_match_not_read";
    pub const METHOD: &str = "method_not_allowed";
}

/// One refused field.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// The path of the field, e.g. `content.contacts[0].number`; a header or a query parameter by its name.
    pub path: String,
    /// Stable code.
    pub code: &'static str,
    /// What people read beside the field, in French.
    pub message: String,
}

/// One reason of a refusal that may be explained.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemReason {
    /// Stable code.
    pub code: &'static str,
    /// In French.
    pub sentence: String,
    /// What would repair it, in French, when something would.
    pub repair: Option<String>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:relais:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    pub status: u16,
    /// Stable code.
    pub code: &'static str,
    /// In French.
    pub title: &'static str,
    /// What to do, in French.
    pub detail: String,
    /// Refused fields, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// Why, for those who may know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ProblemReason>,
    /// Only on 5xx: names the lines of the operator's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Seconds to wait, told in the header.
    #[serde(skip)]
    #[schema(ignore)]
    pub retry_after: Option<u32>,
}

impl Problem {
    fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:relais:problem:{code}"),
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            reasons: Vec::new(),
            incident: None,
            retry_after: None,
        }
    }

    /// The one 404.
    pub fn not_found() -> Self {
        Self::new(
            404,
            "not_found",
            "Introuvable",
            "Cette page n'existe pas, ou elle ne vous est pas ouverte. Vérifiez l'adresse, ou demandez au référent du parcours.",
        )
    }

    /// 401.
    pub fn unauthenticated() -> Self {
        Self::new(
            401,
            "unauthenticated",
            "Connexion nécessaire",
            "Il n'y a pas de session, ou elle a pris fin : connectez-vous.",
        )
    }

    /// 405.
    pub fn method() -> Self {
        Self::new(
            405,
            edge::METHOD,
            "Cette page ne s'ouvre pas ainsi",
            "Cette adresse ne s'utilise pas ainsi : voyez l'en-tête Allow.",
        )
    }

    /// What people and programs are told of a service's error. `incident` is used on 5xx only.
    pub fn of(error: &ServiceError, incident: &str) -> Self {
        match error {
            ServiceError::Unauthenticated => Self::unauthenticated(),
            ServiceError::AbsentOrRefused => Self::not_found(),
            ServiceError::Explained(explanation) => {
                let mut problem = Self::new(
                    403,
                    "refused",
                    "Accès non ouvert",
                    "Cette information ne peut pas vous être montrée. Les raisons, et ce qui les lèverait, suivent.",
                );
                let context = Context::default();
                for reason in &explanation.reasons {
                    if problem.reasons.iter().all(|told| told.code != reason.code()) {
                        problem.reasons.push(ProblemReason {
                            code: reason.code(),
                            sentence: sentence(*reason, &context),
                            repair: repair_line(*reason, &context),
                        });
                    }
                }
                problem
            }
            ServiceError::Invalid(fields) => {
                let mut problem = Self::new(
                    422,
                    "invalid",
                    "Saisie à corriger",
                    "Rien n'a été enregistré : corrigez les champs indiqués.",
                );
                problem.errors = fields
                    .iter()
                    .map(|f| ProblemField {
                        path: f.path.clone(),
                        code: f.error.code(),
                        message: f.error.french(),
                    })
                    .collect();
                problem
            }
            ServiceError::Rule { code, message, field, refused: _ } => {
                let (status, title) = match *code {
                    edge::BODY_TOO_LARGE => (413, "Demande trop grande"),
                    edge::BODY_NOT_JSON => (415, "Format non accepté"),
                    edge::BODY_TOO_SLOW => (408, "Demande trop lente"),
                    edge::BODY_BROKEN => (400, "Demande interrompue"),
                    edge::CROSS_SITE => (403, "Demande venue d'un autre site"),
                    ALREADY_RECORDED => (409, "Déjà enregistré"),
                    _ => (422, "Demande impossible"),
                };
                let mut problem = Self::new(status, code, title, message.clone());
                problem.errors.extend(field.map(|path| ProblemField {
                    path: path.to_owned(),
                    code,
                    message: message.clone(),
                }));
                problem
            }
            ServiceError::Conflict => Self::new(
                409,
                "conflict",
                "La situation a changé",
                "Quelque chose a changé entre-temps, ou le formulaire venait d'une autre affectation : rechargez, puis recommencez.",
            ),
            ServiceError::PreconditionFailed => Self::new(
                412,
                "precondition_failed",
                "Une autre version existe",
                "Ce que vous modifiez n'est plus ce que vous aviez lu : rechargez, puis recommencez.",
            ),
            ServiceError::TooManyAttempts(seconds) => {
                let mut problem = Self::new(
                    429,
                    "too_many_attempts",
                    "Trop d'essais",
                    format!("Trop d'essais : attendez {seconds} s, puis recommencez."),
                );
                problem.retry_after = Some(*seconds);
                problem
            }
            ServiceError::Unavailable(_) => {
                let mut problem = Self::new(
                    503,
                    "unavailable",
                    "Service momentanément indisponible",
                    "Le journal des accès ne peut pas être écrit en ce moment : rien n'a été montré ni modifié. Réessayez dans un instant.",
                );
                problem.retry_after = Some(RETRY_UNAVAILABLE);
                problem.incident = Some(incident.to_owned());
                problem
            }
            ServiceError::Internal(_) => {
                let mut problem = Self::new(
                    500,
                    "internal",
                    "Erreur du programme",
                    "Une erreur du programme a empêché de répondre. Donnez ce numéro d'incident à la personne qui administre le service.",
                );
                problem.incident = Some(incident.to_owned());
                problem
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cell::Reason;
    use crate::domain::text::{EntryError, FieldErrors};
    use crate::service::Explanation;

    fn of(error: &ServiceError) -> Problem {
        Problem::of(error, "incident-7")
    }

    #[test]
    fn each_error_has_its_status_and_only_5xx_an_incident() {
        let fields = FieldErrors::one("birth_date", EntryError::NotADate);
        let all = [
            (ServiceError::Unauthenticated, 401),
            (ServiceError::AbsentOrRefused, 404),
            (ServiceError::Explained(Explanation { reasons: vec![Reason::CeilingNever] }), 403),
            (ServiceError::Invalid(fields), 422),
            (ServiceError::rule("some_rule", "Faites autrement."), 422),
            (ServiceError::rule(edge::BODY_TOO_LARGE, "Trop."), 413),
            (ServiceError::rule(edge::CROSS_SITE, "Non."), 403),
            (ServiceError::rule(ALREADY_RECORDED, "Déjà."), 409),
            (ServiceError::Conflict, 409),
            (ServiceError::PreconditionFailed, 412),
            (ServiceError::TooManyAttempts(30), 429),
            (ServiceError::Unavailable("disk".into()), 503),
            (ServiceError::Internal("bug".into()), 500),
        ];
        for (error, status) in &all {
            let problem = of(error);
            assert_eq!(problem.status, *status, "{error}");
            assert_eq!(problem.incident.is_some(), *status >= 500, "{error}");
            assert_eq!(problem.retry_after.is_some(), [429, 503].contains(status), "{error}");
            let text = serde_json::to_string(&problem).unwrap();
            assert!(!text.contains("disk") && !text.contains("bug"), "{text}");
        }
    }

    #[test]
    fn a_rule_about_a_field_is_told_at_the_field_too() {
        let whole = of(&ServiceError::rule("signature_day", "Un autre jour."));
        assert!(whole.errors.is_empty());
        let told = of(&ServiceError::rule("signature_day", "Un autre jour.").at("on"));
        assert_eq!((told.status, told.detail.as_str()), (422, "Un autre jour."));
        let [field] = told.errors.as_slice() else { panic!("one field") };
        assert_eq!((field.path.as_str(), field.code), ("on", "signature_day"));
        assert_eq!(field.message, "Un autre jour.");
    }

    #[test]
    fn reasons_are_told_once_each_with_what_repairs_them() {
        let reasons = vec![Reason::CeilingNever, Reason::NotShared, Reason::CeilingNever];
        let problem = of(&ServiceError::Explained(Explanation { reasons }));
        let codes: Vec<_> = problem.reasons.iter().map(|r| r.code).collect();
        assert_eq!(codes, ["ceiling_never", "not_shared"]);
        assert!(problem.reasons.iter().all(|r| r.sentence.ends_with('.') && r.repair.is_some()));
    }
}
