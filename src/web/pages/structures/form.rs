//! The forms of this part of the building, read whole: when one does not read, every field that is wrong is named at once,
//! and not the first only.
//!
//! It decides nothing: what the fields say is judged behind it.

use serde::de::DeserializeOwned;

use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::secrecy::SecrecyBasis;
use crate::domain::text::{EntryError, FieldErrors, Text};
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{MissionId, ProfessionalId};
use crate::service::structures::code_is_sound;
use crate::web::api::structures::AssignmentBody;
use crate::web::form::{Form, Members};
use crate::web::route::Fault;

/// Where the fields of a structure stand in the form that corrects one.
pub(super) const UPDATED: &str = "organisation.";

fn syntax(errors: FieldErrors) -> Fault {
    Fault::Syntax(errors.into())
}

/// Reads the form of a structure; `prefix` is where its fields stand.
///
/// # Errors
/// 422 naming every field to mend.
pub(super) fn read<T: DeserializeOwned>(form: &Form, prefix: &str) -> Result<T, Fault> {
    let tree = form.tree().map_err(syntax)?;
    let mut members = Members::of(&tree);
    let at = |name: &str| format!("{prefix}{name}");
    members.member::<Text<120>>(&at("name"));
    members.member::<Text<40>>(&at("code"));
    members.member::<OrganisationKind>(&at("kind"));
    members.member::<Text<120>>(&at("territory"));
    members.member::<Phone>(&at("telephone"));
    let mut codes = vec![at("code")];
    match members.length(&at("missions")) {
        // The first line is where the first mission is written.
        0 => members.wrong(&at("missions[0].title"), EntryError::Missing),
        lines => {
            for line in 0..lines {
                members.member::<Text<120>>(&at(&format!("missions[{line}].title")));
                members.member::<Text<40>>(&at(&format!("missions[{line}].code")));
                codes.push(at(&format!("missions[{line}].code")));
            }
        }
    }
    for path in codes {
        if members.text(&path).is_some_and(|code| !code_is_sound(code)) {
            members.wrong(&path, EntryError::NotACode);
        }
    }
    members.finish().map_err(syntax)
}

/// Reads the form of an affectation.
///
/// # Errors
/// As [`read`].
pub(super) fn assignment(form: &Form) -> Result<AssignmentBody, Fault> {
    let tree = form.tree().map_err(syntax)?;
    let mut members = Members::of(&tree);
    members.member::<ProfessionalId>("professional");
    members.member::<MissionId>("mission");
    members.member::<Profession>("profession");
    members.member::<Function>("function");
    members.member::<Secrecy>("secrecy");
    members.member::<Option<SecrecyBasis>>("secrecy_basis");
    for day in ["secrecy_until", "starts", "ends"] {
        members.member::<Option<Day>>(day);
    }
    let bound = members.text("secrecy").and_then(|code| Secrecy::parse(code).ok());
    // LAW: a secret rests on a text (LAW §3).
    if bound.is_some_and(|s| s != Secrecy::NotBound) && members.text("secrecy_basis").is_none() {
        members.wrong("secrecy_basis", EntryError::SecrecyBasis);
    }
    members.finish().map_err(syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceError;
    use crate::web::api::structures::{OrganisationBody, OrganisationUpdateBody};

    fn told<T>(read: Result<T, Fault>) -> Vec<(String, &'static str)> {
        match read {
            Err(Fault::Syntax(ServiceError::Invalid(errors))) => {
                errors.iter().map(|e| (e.path.clone(), e.error.code())).collect()
            }
            Err(_) => panic!("another error"),
            Ok(_) => Vec::new(),
        }
    }

    fn said(pairs: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        pairs.iter().map(|(path, code)| ((*path).to_owned(), *code)).collect()
    }

    #[test]
    fn every_error_of_a_structure_is_told_at_once() {
        let empty = told(read::<OrganisationBody>(&Form::default(), ""));
        let all = ["name", "code", "kind", "territory", "telephone", "missions[0].title"];
        assert_eq!(empty, said(&all.map(|path| (path, "missing"))));
        let form = Form::of(&[
            ("name", "Ville"),
            ("code", "Été"),
            ("kind", "town"),
            ("territory", "Val-d'Orme"),
            ("telephone", "douze"),
            ("missions[0].title", "Une mission"),
            ("missions[1].title", "Une autre"),
            ("missions[1].code", "Pas un code"),
        ]);
        assert_eq!(
            told(read::<OrganisationBody>(&form, "")),
            said(&[
                ("telephone", "not_a_phone"),
                ("missions[0].code", "missing"),
                ("code", "not_a_code"),
                ("missions[1].code", "not_a_code"),
            ])
        );
        let right = [
            ("version:int", "1"),
            ("organisation.name", "Ville"),
            ("organisation.code", "ville"),
            ("organisation.kind", "town"),
            ("organisation.territory", "Val-d'Orme"),
            ("organisation.telephone", "0102030405"),
            ("organisation.missions[0].title", "Une mission"),
            ("organisation.missions[0].code", "une"),
        ];
        assert!(told(read::<OrganisationUpdateBody>(&Form::of(&right), UPDATED)).is_empty());
        // What the form does not know is refused as ever.
        let more: Vec<_> = right.into_iter().chain([("organisation.other", "x")]).collect();
        assert_eq!(
            told(read::<OrganisationUpdateBody>(&Form::of(&more), UPDATED)),
            said(&[("form", "unknown_field")])
        );
    }

    #[test]
    fn every_error_of_an_affectation_is_told_at_once_with_the_text_of_the_secret_at_its_field() {
        let id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let empty = told(assignment(&Form::of(&[("organisation", id)])));
        let all = ["professional", "mission", "profession", "function", "secrecy"];
        assert_eq!(empty, said(&all.map(|path| (path, "missing"))));
        for (secrecy, wrong) in [("bound", true), ("contested", true), ("not_bound", false)] {
            let form = Form::of(&[
                ("organisation", id),
                ("professional", id),
                ("mission", id),
                ("profession", "teacher"),
                ("function", "practitioner"),
                ("secrecy", secrecy),
                ("starts", "hier"),
            ]);
            let mut expected = vec![("starts", "not_a_date")];
            if wrong {
                expected.push(("secrecy_basis", "secrecy_basis"));
            }
            assert_eq!(told(assignment(&form)), said(&expected), "{secrecy}");
        }
    }
}
