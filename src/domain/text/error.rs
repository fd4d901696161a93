//! Why something that was entered is refused: a stable code, and a French sentence that says what to do.
//!
//! INVARIANT: no refusal repeats the content that it refuses; only the path of the field is named.

use std::fmt;

/// Why one entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("missing; give a value")]
    Missing,
    #[error("not a field of this form; remove it")]
    UnknownField,
    #[error("given twice; keep one")]
    GivenTwice,
    #[error("wrong kind of value; give `{expected}`")]
    WrongType { expected: &'static str },
    #[error("empty; write something")]
    Empty,
    #[error("too long by `{over}` characters; shorten it to `{max}`")]
    TooLong { max: usize, over: usize },
    #[error("holds a line break or another control character; type it again on one line")]
    ControlCharacter,
    #[error("holds an invisible character; type it again")]
    InvisibleCharacter,
    #[error("looks like a social security number; remove it")]
    NirLike,
    #[error("not a telephone number; give ten digits, or `+` and the country's code")]
    NotAPhone,
    #[error("not a date; give it as `YYYY-MM-DD`")]
    NotADate,
    #[error("date outside 1900 to 2100; check the year")]
    DateOutOfRange,
    #[error("date in the future; check it")]
    DateInFuture,
    #[error("not a known {list}; choose one of the list")]
    NotInList { list: &'static str },
    #[error("not in the {list} of the charter in force; choose one of the list")]
    NotInCharter { list: &'static str },
    #[error("more than `{max}` entries; keep the most useful ones")]
    TooMany { max: usize },
    #[error("nobody chosen; choose one person at least")]
    NobodyChosen,
    #[error("not a code; give lower case letters without accent, digits and dashes")]
    NotACode,
    #[error("a secret rests on a text; choose one of the list")]
    SecrecyBasis,
    #[error("the two passwords differ; give both again")]
    PasswordsDiffer,
    #[error("the end comes before the beginning; correct one of the two")]
    EndBeforeStart,
    #[error("not a checkpoint; give the whole file as it was taken away")]
    NotACheckpoint,
}

impl EntryError {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownField => "unknown_field",
            Self::GivenTwice => "given_twice",
            Self::WrongType { .. } => "wrong_type",
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter => "control_character",
            Self::InvisibleCharacter => "invisible_character",
            Self::NirLike => "nir_like",
            Self::NotAPhone => "not_a_phone",
            Self::NotADate => "not_a_date",
            Self::DateOutOfRange => "date_out_of_range",
            Self::DateInFuture => "date_in_future",
            Self::NotInList { .. } => "not_in_list",
            Self::NotInCharter { .. } => "not_in_charter",
            Self::TooMany { .. } => "too_many",
            Self::NobodyChosen => "nobody_chosen",
            Self::NotACode => "not_a_code",
            Self::SecrecyBasis => "secrecy_basis",
            Self::PasswordsDiffer => "passwords_differ",
            Self::EndBeforeStart => "end_before_start",
            Self::NotACheckpoint => "not_a_checkpoint",
        }
    }

    /// The error whose `Display` this is: deserialisers only carry messages. What is no message of ours is a wrong type.
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        let fixed = [
            Self::Missing,
            Self::UnknownField,
            Self::GivenTwice,
            Self::Empty,
            Self::ControlCharacter,
            Self::InvisibleCharacter,
            Self::NirLike,
            Self::NotAPhone,
            Self::NotADate,
            Self::DateOutOfRange,
            Self::DateInFuture,
        ];
        if let Some(found) = fixed.into_iter().find(|e| e.to_string() == message) {
            return found;
        }
        let mut quoted = message.split('`').skip(1).step_by(2).filter_map(|n| n.parse::<usize>().ok());
        if message.starts_with("too long by ")
            && let (Some(over), Some(max)) = (quoted.next(), quoted.next())
        {
            return Self::TooLong { max, over };
        }
        if message.starts_with("more than ")
            && let Some(max) = quoted.next()
        {
            return Self::TooMany { max };
        }
        Self::WrongType { expected: "voir l'aide du champ" }
    }

    /// What people read beside the field.
    #[must_use]
    pub fn french(&self) -> String {
        match self {
            Self::Missing => "Il manque une réponse ici : remplissez ce champ.".to_owned(),
            Self::UnknownField => "Ce champ n'existe pas dans cette catégorie : retirez-le.".to_owned(),
            Self::GivenTwice => "Ce champ est donné deux fois : gardez-en un seul.".to_owned(),
            Self::WrongType { expected } => {
                format!("Cette valeur n'a pas la forme attendue ({expected}) : corrigez-la.")
            }
            Self::Empty => "Ce champ est vide : écrivez quelque chose.".to_owned(),
            Self::TooLong { max, over } => {
                let s = if *over > 1 { "s" } else { "" };
                format!("Trop long de {over} caractère{s} : {max} au plus. Raccourcissez.")
            }
            Self::ControlCharacter => {
                "Ce texte contient un retour à la ligne ou un caractère de commande : retapez-le.".to_owned()
            }
            Self::InvisibleCharacter => {
                "Ce texte contient un caractère invisible, souvent venu d'un copier-coller : retapez-le."
                    .to_owned()
            }
            Self::NirLike => {
                "Ceci ressemble à un numéro de sécurité sociale. La loi interdit de le noter ici : \
                              retirez-le."
                    .to_owned()
            }
            Self::NotAPhone => {
                "Ce n'est pas un numéro de téléphone : dix chiffres, ou + et l'indicatif du pays.".to_owned()
            }
            Self::NotADate => "Ce n'est pas une date : écrivez-la comme 2027-03-14.".to_owned(),
            Self::DateOutOfRange => "Cette date est hors de 1900 à 2100 : vérifiez l'année.".to_owned(),
            Self::DateInFuture => "Cette date n'est pas encore venue : vérifiez-la.".to_owned(),
            Self::NotInList { .. } => "Cette valeur n'est pas dans la liste : choisissez-en une.".to_owned(),
            Self::NotInCharter { .. } => {
                "Ce mot n'est pas dans la liste de la charte en vigueur : choisissez-en un autre.".to_owned()
            }
            Self::TooMany { max } => format!("Pas plus de {max} lignes : gardez les plus utiles."),
            Self::NobodyChosen => "Cochez au moins une personne.".to_owned(),
            Self::NotACode => {
                "Un code s'écrit en minuscules sans accent, chiffres, tirets : corrigez-le.".to_owned()
            }
            Self::SecrecyBasis => {
                "Un secret repose sur un texte : choisissez-le dans la liste.".to_owned()
            }
            Self::PasswordsDiffer => "Les deux mots de passe diffèrent : écrivez-les à nouveau.".to_owned(),
            Self::EndBeforeStart => {
                "Le dernier jour est avant le premier : corrigez l'un des deux.".to_owned()
            }
            // Said only once the log itself was verified.
            Self::NotACheckpoint => {
                "Ce n'est pas un point de contrôle lisible : collez le fichier entier. Le journal, lui, tient."
                    .to_owned()
            }
        }
    }
}

/// One refused field: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {error}")]
pub struct FieldError {
    /// The path of the field, e.g. `content.contacts[0].number`.
    pub path: String,
    #[source]
    pub error: EntryError,
}

/// Everything that was refused in one form, never empty, in the order of the form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// The refusals, or `None` when there are none.
    #[must_use]
    pub fn new(errors: Vec<FieldError>) -> Option<Self> {
        if errors.is_empty() { None } else { Some(Self(errors)) }
    }

    /// A single refusal.
    #[must_use]
    pub fn one(path: &str, error: EntryError) -> Self {
        Self(vec![FieldError { path: path.to_owned(), error }])
    }

    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}
