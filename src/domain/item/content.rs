//! The shapes themselves, one struct per set of fields. Each field's type carries its bound and its rules, so the
//! structs add none of their own and their fields are open to read.

use std::fmt;

use serde_json::{Map, Value};
use utoipa::openapi::schema::ObjectBuilder;

use super::Codes;
use super::field::{Field, JudicialKindCode, NeedCode, PastDay, Reading, Shape, TermCode};
use super::list::{Listed, Ordered, Subjects};
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::text::{Paragraph, Text};
use crate::domain::vocabulary::{Source, code_enum};

code_enum! {
    /// Whose number a contact is.
    ContactKind, "kind of contact" {
        YoungPerson = "young_person", "Le jeune";
        Parent = "parent", "Parent";
        Guardian = "guardian", "Tuteur ou délégataire";
        Relative = "relative", "Proche";
        Service = "service", "Service ou lieu d'accueil";
    }
}

code_enum! {
    /// What a minimal health information is about. LAW §4: no diagnosis, no document.
    HealthKind, "kind of health information" {
        Allergy = "allergy", "allergie";
        Treatment = "treatment", "traitement";
        Conduct = "conduct", "conduite à tenir";
    }
}

macro_rules! shape {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty, $french:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl Shape for $name {
            fn read_from(reading: &mut Reading<'_>, map: &mut Map<String, Value>) -> Option<Self> {
                // Every field is read before any answer, so that one answer names everything that is refused.
                $(let $field: Option<$type> = reading.field(stringify!($field), map.remove(stringify!($field)));)*
                Some(Self { $($field: $field?,)* })
            }

            fn write_to(&self, map: &mut Map<String, Value>) {
                $(if let Some(value) = self.$field.write() {
                    map.insert(stringify!($field).to_owned(), value);
                })*
            }

            fn words_of(&self, codes: &dyn Codes, out: &mut Vec<(String, String)>) {
                $(for line in self.$field.words(codes) {
                    out.push(($french.to_owned(), line));
                })*
            }

            fn texts_of<'a>(&'a self, out: &mut Vec<&'a str>) {
                $(self.$field.texts(out);)*
            }

            fn notations() -> Vec<(&'static str, String)> {
                vec![$((stringify!($field), <$type as Field>::notation()),)*]
            }

            fn properties(object: ObjectBuilder) -> ObjectBuilder {
                $(let object = object.property(stringify!($field), <$type as Field>::schema());
                let object = if <$type as Field>::REQUIRED { object.required(stringify!($field)) } else { object };)*
                object
            }
        }
    };
}

shape! {
    /// A number by which the family is reached.
    Contact {
        kind: ContactKind, "Qui";
        who: Text<80>, "Nom";
        number: Phone, "Téléphone";
    }
}

shape! {
    /// Whom to call, in this order, when something happens.
    EmergencyContact {
        who: Text<80>, "Nom";
        number: Phone, "Téléphone";
    }
}

shape! {
    /// Who may come and fetch the young person. LAW §4: a judicial restriction shows only here, as « remise
    /// uniquement à … ».
    MayFetch {
        who: Text<80>, "Nom";
    }
}

shape! {
    /// The sheet that people need to reach the family.
    IdentityContent {
        name: Text<80>, "Nom";
        first_name: Text<80>, "Prénom";
        birth_date: PastDay, "Né(e) le";
        contacts: Listed<Contact>, "Contact";
        emergency_contacts: Ordered<EmergencyContact>, "En cas d'urgence";
        may_fetch: Listed<MayFetch>, "Remise uniquement à";
    }
}

shape! {
    /// What must be known so that nothing happens: no diagnosis, no document.
    HealthMinimalContent {
        kind: HealthKind, "De quoi il s'agit";
        what: Text<140>, "Quoi";
        when: Text<60>, "Quand";
        prescription_kept: Text<80>, "Où est l'ordonnance";
    }
}

shape! {
    /// A need of everyday life.
    PracticalContent {
        need: NeedCode, "Besoin";
        detail: Text<140>, "Précision";
    }
}

shape! {
    /// One fact, since when, and who says so.
    FactContent {
        fact: Text<140>, "Fait";
        since: Option<PastDay>, "Depuis le";
        source: Source, "Source";
    }
}

shape! {
    /// One fact that may cite a term of the charter's glossary.
    TermedFactContent {
        fact: Text<140>, "Fait";
        since: Option<PastDay>, "Depuis le";
        source: Source, "Source";
        term: Option<TermCode>, "Au sens de la charte";
    }
}

shape! {
    /// A medical fact: school health and psychologists only.
    MedicalFactContent {
        fact: Text<140>, "Fait";
        source: Source, "Source";
    }
}

shape! {
    /// That a measure exists, which service holds it, whom to call, when it ends; never the judgment nor a report.
    JudicialContent {
        kind: JudicialKindCode, "Mesure";
        service: Text<80>, "Service";
        contact: Text<80>, "Contact";
        ends: Option<Day>, "Fin prévue le";
    }
}

shape! {
    /// A synthesis, read again with the family.
    EvaluationContent {
        going_well: Paragraph<600>, "Ce qui va bien";
        worries: Paragraph<600>, "Ce qui inquiète";
        done: Paragraph<600>, "Ce qui a été fait";
        said_by_family: Paragraph<600>, "Ce que dit la famille";
        proposed: Paragraph<600>, "Ce qui est proposé";
        subjects: Subjects, "Sujets abordés";
        read_with_family_on: PastDay, "Relu avec la famille le";
    }
}
