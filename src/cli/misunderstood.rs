//! What of a command was not understood, in French, with what to do next. Exit code 2.
//!
//! It repeats what was typed and nothing else; it never guesses what was meant, only names what comes near.

use clap::error::{ContextKind, ContextValue, ErrorKind};

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let said = match error.get(kind)? {
        ContextValue::String(one) => one.clone(),
        ContextValue::Strings(many) => many.join(", "),
        other => other.to_string(),
    };
    (!said.trim().is_empty()).then_some(said)
}

fn list(error: &clap::Error, kind: ContextKind) -> String {
    text(error, kind).unwrap_or_else(|| "…".to_owned())
}

/// « : vouliez-vous dire … ? », when something comes near.
fn near(error: &clap::Error, kind: ContextKind) -> String {
    text(error, kind)
        .map(|all| format!(" ; vouliez-vous dire `{}` ?", all.replace(", ", "` ou `")))
        .unwrap_or_default()
}

fn what(error: &clap::Error) -> String {
    let argument = list(error, ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            format!("`{argument}` n'existe pas ici{}", near(error, ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => format!(
            "la commande `{}` n'existe pas{}",
            list(error, ContextKind::InvalidSubcommand),
            near(error, ContextKind::SuggestedSubcommand)
        ),
        ErrorKind::InvalidValue => match text(error, ContextKind::InvalidValue) {
            Some(value) => {
                let possible = text(error, ContextKind::ValidValue)
                    .map(|all| format!(" ; choisissez parmi : {all}"))
                    .unwrap_or_default();
                format!("`{value}` ne convient pas pour `{argument}`{possible}")
            }
            None => format!("`{argument}` attend une valeur : donnez-la juste après"),
        },
        ErrorKind::ValueValidation => format!(
            "`{}` ne convient pas pour `{argument}` : l'aide dit ce qui est attendu",
            list(error, ContextKind::InvalidValue)
        ),
        ErrorKind::MissingRequiredArgument => format!("il manque : {argument}"),
        ErrorKind::MissingSubcommand => "dites quelle commande".to_owned(),
        ErrorKind::ArgumentConflict => match text(error, ContextKind::PriorArg) {
            Some(prior) if prior == argument => format!("`{argument}` ne se donne qu'une fois"),
            Some(prior) => format!("`{argument}` ne va pas avec `{prior}` : gardez l'un des deux"),
            None => format!("`{argument}` ne va pas avec le reste : retirez-le"),
        },
        ErrorKind::NoEquals => format!("`{argument}` s'écrit avec `=` et sa valeur"),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("`{argument}` n'a pas le bon nombre de valeurs : l'aide dit combien")
        }
        // The library may grow kinds; this sentence is true of every one.
        _kind => "la commande n'a pas été comprise".to_owned(),
    }
}

/// What is printed on the error output.
pub(super) fn told(error: &clap::Error) -> String {
    let usage = text(error, ContextKind::Usage)
        .map(|usage| {
            let plain = usage.trim().trim_start_matches("Usage:").trim().to_owned();
            format!("\n\nUsage : {plain}")
        })
        .unwrap_or_default();
    format!("relais : {}.{usage}\n\n`relais COMMANDE --help` explique chaque commande.\n", what(error))
}

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use super::*;

    fn said(words: &[&str]) -> String {
        let error = Arguments::read([&["relais"], words].concat()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        told(&error)
    }

    #[test]
    fn what_is_not_understood_is_said_in_french_with_what_to_do() {
        let all = [
            (&["sreve"][..], "la commande `sreve` n'existe pas ; vouliez-vous dire `restore` ou `serve` ?"),
            (&["serve", "--dtaa", "x"], "`--dtaa` n'existe pas ici ; vouliez-vous dire `--data` ?"),
            (&["serve", "--data"], "`--data <DOSSIER>` attend une valeur"),
            (&["audit", "proof", "douze"], "`douze` ne convient pas pour `<NUMÉRO>`"),
            (&["audit", "proof"], "il manque : <NUMÉRO>"),
            (&["serve", "--data", "a", "--data", "b"], "ne se donne qu'une fois"),
            (&["init"], "il manque : "),
            (&["serve", "encore"], "`encore` n'existe pas ici"),
        ];
        for (words, sentence) in all {
            let told = said(words);
            assert!(told.contains(sentence), "{words:?}: {told}");
            assert!(told.contains("--help` explique"), "{told}");
            for english in ["error", "Usage:", "unexpected", "For more", "required", "invalid"] {
                assert!(!told.contains(english), "{words:?}: {told}");
            }
        }
    }
}
