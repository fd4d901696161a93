//! What somebody wrote in a form that comes back: the values, and what is to be corrected, at the field and in the
//! summary at the top.

use super::words;
use crate::domain::text::{EntryError, FieldErrors};
use crate::service::{App, ServiceError};
use crate::web::form::Form;
use crate::web::problem::Problem;
use crate::web::route::{Answer, Fault, Incoming};

/// One line of the summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The field it belongs to; empty for the whole form.
    pub field: String,
    pub message: String,
}

/// A form as somebody left it.
#[derive(Clone, Default)]
pub struct Entered {
    form: Form,
    told: Vec<Told>,
    /// Something changed after the form was shown.
    overtaken: bool,
}

/// What is told on a form that comes back with what is stored now beside it.
const COMPARE: &str = "Quelqu'un a corrigé avant vous : comparez, puis enregistrez ou annulez.";
/// What is told on any other: the page itself is that of now.
const REREAD: &str = "Quelque chose a changé entre-temps, et cette page montre ce qui vaut maintenant : relisez-la, puis recommencez.";

impl Entered {
    /// Nothing yet.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Filled in before it is shown.
    #[must_use]
    pub fn filled(fields: &[(&str, &str)]) -> Self {
        Self { form: Form::of(fields), ..Self::default() }
    }

    /// What a page starts with: the text that was kept for its author, when the address names one of this page; nothing
    /// otherwise. Every page with a `data-kept` form starts with it, or with [`Entered::first_or`].
    ///
    /// # Errors
    /// Without a session, or as the database.
    pub fn first(app: &App, incoming: &Incoming) -> Result<Self, Fault> {
        Self::first_or(app, incoming, Self::nothing())
    }

    /// [`Entered::first`] of a page that is filled in before it is shown.
    ///
    /// # Errors
    /// As [`Entered::first`].
    pub fn first_or(app: &App, incoming: &Incoming, otherwise: Self) -> Result<Self, Fault> {
        Ok(Self::kept(app, incoming)?.unwrap_or(otherwise))
    }

    /// The text that was kept for its author, when the address names one of this page.
    ///
    /// # Errors
    /// As [`Entered::first`].
    pub fn kept(app: &App, incoming: &Incoming) -> Result<Option<Self>, Fault> {
        Ok(crate::web::kept::resumed(app, incoming)?.map(|form| Self::sent(&form)))
    }

    /// As sent, with nothing wrong (a step of several).
    #[must_use]
    pub fn sent(form: &Form) -> Self {
        Self { form: form.clone(), ..Self::default() }
    }

    /// As sent, with what is to be corrected.
    #[must_use]
    pub fn refused(form: &Form, error: &ServiceError) -> Self {
        let problem = Problem::of(error, "");
        let overtaken = matches!(error, ServiceError::Conflict | ServiceError::PreconditionFailed);
        let told = if overtaken {
            vec![Told { field: String::new(), message: REREAD.to_owned() }]
        } else if problem.errors.is_empty() {
            let mut told = vec![Told { field: String::new(), message: problem.detail }];
            told.extend(problem.reasons.into_iter().map(|r| Told {
                field: String::new(),
                message: match r.repair {
                    Some(repair) => format!("{} {repair}", r.sentence),
                    None => r.sentence,
                },
            }));
            told
        } else {
            problem.errors.into_iter().map(|e| Told { field: e.path, message: e.message }).collect()
        };
        Self { form: form.clone(), told, overtaken }
    }

    /// Whether what this form changes was changed after it was shown; `now` is the version that stands, and the form
    /// carries the one that it was written on as `version:int`. The page then shows what is stored beside what was
    /// written, and its form goes on with the version of now.
    ///
    /// INVARIANT: only then: so neither a second look, nor a refused field, nor a text taken up later writes over a
    /// correction that nobody saw.
    #[must_use]
    pub fn against(mut self, now: i64) -> (Self, bool) {
        let written_on = self.form.one("version:int");
        let stale = written_on.is_some_and(|version| version != now.to_string());
        if stale && self.overtaken {
            self.told = vec![Told { field: String::new(), message: COMPARE.to_owned() }];
        }
        (self, stale)
    }

    /// What is told of another act of the same page, over a form that starts as ever.
    #[must_use]
    pub fn over(self, form: Self) -> Self {
        Self { form: form.form, told: self.told, overtaken: self.overtaken }
    }

    /// What was written in a field; its name is that of the form, with or without `:type` and `[]`.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.form.raw(name)
    }

    /// Whether a box or choice was taken.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.form.has(name, value)
    }

    /// Whether anything was written at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.form.fields().next().is_none()
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        let wanted = path_of(name);
        let inside = |field: &str| {
            field == wanted
                || field
                    .strip_prefix(wanted)
                    .is_some_and(|rest| name.ends_with("[]") && rest.starts_with('['))
        };
        self.told.iter().find(|t| inside(&t.field)).map(|t| t.message.as_str())
    }

    /// Everything that is wrong, in order.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }
}

/// A field's path in errors, from its name in the form.
fn path_of(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(path, _)| path);
    name.strip_suffix("[]").unwrap_or(name)
}

/// A form whose act was refused comes back as it was written, when the refusal is one that the person can mend; any
/// other refusal goes on. What no service has seen is recorded here.
///
/// # Errors
/// What cannot be mended by writing something else.
pub fn back(
    app: &App,
    incoming: &Incoming,
    fault: Fault,
    show: impl FnOnce(u16, Entered) -> Result<Answer, Fault>,
) -> Result<Answer, Fault> {
    back_to(app, incoming, &incoming.form, fault, show)
}

/// [`back`] of a form that a page made of the one that was sent, or of its address.
///
/// # Errors
/// As [`back`].
pub fn back_to(
    app: &App,
    incoming: &Incoming,
    form: &Form,
    fault: Fault,
    show: impl FnOnce(u16, Entered) -> Result<Answer, Fault>,
) -> Result<Answer, Fault> {
    let (error, unseen) = match fault {
        Fault::Syntax(error) => (error, true),
        Fault::Service(error) => (error, false),
    };
    let status = match &error {
        ServiceError::Invalid(_) | ServiceError::Rule { .. } => 422,
        ServiceError::Conflict | ServiceError::PreconditionFailed => 409,
        ServiceError::Explained(_) => 403,
        ServiceError::Unauthenticated
        | ServiceError::AbsentOrRefused
        | ServiceError::TooManyAttempts(_)
        | ServiceError::Unavailable(_)
        | ServiceError::Internal(_) => {
            return Err(if unseen { Fault::Syntax(error) } else { Fault::Service(error) });
        }
    };
    let error = match (&incoming.call, unseen) {
        (Some(call), true) => app.record_malformed(call, incoming.act, error),
        (Some(_) | None, _) => error,
    };
    show(status, Entered::refused(form, &error))
}

/// What a form that asks for secrets answers: a delay is told on its page and in its header, the rest as [`back`].
///
/// # Errors
/// As [`back`].
pub fn or_wait(
    app: &App,
    incoming: &Incoming,
    attempt: Result<Answer, Fault>,
    show: fn(&App, &Incoming, u16, Entered) -> Result<Answer, Fault>,
) -> Result<Answer, Fault> {
    match attempt {
        Ok(answer) => Ok(answer),
        Err(Fault::Service(ServiceError::TooManyAttempts(seconds))) => {
            let told = ServiceError::rule(
                "too_many_attempts",
                format!(
                    "Trop d'essais : attendez {}, puis recommencez.",
                    words::plural(i64::from(seconds), "seconde", "secondes")
                ),
            );
            let page = show(app, incoming, 429, Entered::refused(&incoming.form, &told))?;
            Ok(page.retry_after(seconds))
        }
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

/// A field that must be there, found missing or wrong by a page itself.
#[must_use]
pub fn missing(field: &str) -> Fault {
    Fault::Syntax(ServiceError::Invalid(FieldErrors::one(field, EntryError::Missing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stand_at_their_fields_and_values_are_kept() {
        let form = Form::of(&[("label", "Un été"), ("categories[]", "family"), ("seen:bool", "on")]);
        let errors = FieldErrors::new(vec![
            crate::domain::text::FieldError { path: "label".to_owned(), error: EntryError::Empty },
            crate::domain::text::FieldError { path: "categories[0]".to_owned(), error: EntryError::Missing },
            crate::domain::text::FieldError { path: "seen".to_owned(), error: EntryError::Missing },
        ])
        .unwrap();
        let entered = Entered::refused(&form, &ServiceError::Invalid(errors));
        assert_eq!(entered.value("label"), "Un été");
        assert!(entered.is("categories[]", "family") && !entered.is("categories[]", "housing"));
        for field in ["label", "categories[]", "seen:bool"] {
            assert!(entered.error(field).is_some(), "{field}");
        }
        assert!(entered.error("other").is_none());
        assert_eq!(entered.told().len(), 3);
        let rule = Entered::refused(&form, &ServiceError::rule("x", "Faites autrement."));
        assert_eq!(rule.told(), [Told { field: String::new(), message: "Faites autrement.".to_owned() }]);
    }

    #[test]
    fn a_rule_of_one_field_is_told_there_and_any_other_for_the_whole_form() {
        let told =
            |rule: ServiceError| Entered::refused(&Form::of(&[("password", "")]), &rule).told().to_vec();
        let weak = || ServiceError::rule("password_too_easy", "Autrement.");
        for field in ["password", "new_password"] {
            assert_eq!(
                told(weak().at(field)),
                [Told { field: field.to_owned(), message: "Autrement.".to_owned() }]
            );
        }
        assert_eq!(told(weak())[0].field, "");
        let basis = ServiceError::rule("secrecy_basis_missing", "Autrement.").at("secrecy_basis");
        assert_eq!(told(basis)[0].field, "secrecy_basis");
    }
}
