//! One charter: its two texts, read, held against the ceiling, compiled.
//!
//! Invariants: a value of [`Charter`] has no finding left; its texts are kept as they were read, and `text_hash` covers
//! both. Signing, publication dates and storage are not here.

use std::path::Path;

use super::base::Base;
use super::error::{CharterError, Finding, Findings};
use super::matrix::Matrix;
use super::policy::{self, Rule, Scope};
use super::sheet::{self, Pack, Sheet};
use super::{proof, vocabulary};
use crate::crypto::hash::sha256;
use crate::domain::vocabulary::{Category, Purpose};

const DEMO: (&str, &str) = (
    include_str!("../../policies/charters/demonstration/charter.toml"),
    include_str!("../../policies/charters/demonstration/policy.csv"),
);
const DEMO_V2: (&str, &str) = (
    include_str!("../../policies/charters/demonstration-v2/charter.toml"),
    include_str!("../../policies/charters/demonstration-v2/policy.csv"),
);

/// A charter file is a text that people read: more than this is not one.
const FILE_LIMIT: u64 = 1 << 20;

/// A charter without findings.
#[derive(Clone, Debug)]
pub struct Charter {
    sheet: Sheet,
    base: Base,
    rules: Vec<Rule>,
    matrix: Matrix,
    charter_toml: String,
    policy_csv: String,
    text_hash: String,
}

impl Charter {
    /// Reads `charter.toml` and `policy.csv` of a folder.
    ///
    /// # Errors
    /// Every finding of both files, or the file that cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, CharterError> {
        let read = |name: &str| {
            let path = folder.join(name);
            let bytes = std::fs::metadata(&path).and_then(|meta| {
                if meta.len() > FILE_LIMIT {
                    Err(std::io::Error::other("file larger than 1 MiB"))
                } else {
                    std::fs::read(&path)
                }
            });
            bytes.map_err(|source| CharterError::Unreadable { path, source })
        };
        let (charter, policy) = (read("charter.toml")?, read("policy.csv")?);
        Self::read(&charter, &policy)
    }

    /// Reads the two texts, as the store keeps them.
    ///
    /// # Errors
    /// Every finding of both.
    pub fn from_files(charter_toml: &str, policy_csv: &str) -> Result<Self, CharterError> {
        Self::read(charter_toml.as_bytes(), policy_csv.as_bytes())
    }

    /// The demonstration charter (Territoire de Val-d'Orme, fictitious).
    ///
    /// # Errors
    /// Every finding, if the embedded files were changed and are wrong.
    pub fn embedded_demo() -> Result<Self, CharterError> {
        Self::from_files(DEMO.0, DEMO.1)
    }

    /// Its next version (S14): the mission locale loses housing.
    ///
    /// # Errors
    /// Every finding, if the embedded files were changed and are wrong.
    pub fn embedded_demo_v2() -> Result<Self, CharterError> {
        Self::from_files(DEMO_V2.0, DEMO_V2.1)
    }

    fn read(charter_toml: &[u8], policy_csv: &[u8]) -> Result<Self, CharterError> {
        vocabulary::check()?;
        let base = Base::embedded()?;
        let mut found = Vec::new();
        let mut rules = policy::parse("policy.csv", policy_csv, &base, &mut found);
        let excluded = |purpose: Purpose, category: Category| {
            rules.iter().any(|r| r.scope == Scope::Purpose(purpose) && r.category == category)
        };
        let carries = |purpose, category| base.carries(purpose, category) && !excluded(purpose, category);
        let sheet = match std::str::from_utf8(charter_toml) {
            Ok(text) => sheet::parse("charter.toml", text, &carries, &mut found).map(|sheet| (sheet, text)),
            Err(error) => {
                let before = charter_toml.get(..error.valid_up_to()).unwrap_or(&[]);
                let line = before.split(|b| *b == b'\n').count();
                let column = before.rsplit(|b| *b == b'\n').next().unwrap_or(&[]).len().saturating_add(1);
                let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                found.push(Finding::new(
                    "charter.toml",
                    number(line),
                    number(column),
                    "octets qui ne sont pas de l'UTF-8 : enregistrez le fichier en UTF-8",
                ));
                None
            }
        };
        // Invalid UTF-8 in the policy is a finding of its reader: an empty text stands in until the refusal below.
        let policy_text = std::str::from_utf8(policy_csv).unwrap_or("");
        let Some((sheet, charter_text)) = sheet else {
            Findings::refuse_if_any(found)?;
            return Err(Finding::new("charter.toml", 1, 1, "charte illisible").into());
        };
        Findings::refuse_if_any(found)?;
        let stay = policy::beyond_the_stay(sheet.pack(Pack::Stay), &carries);
        rules.extend(stay);
        let matrix = Matrix::build(&base, &rules);
        // Each text is preceded by its length: moving bytes from one file to the other changes the hash.
        let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
        let digest = sha256(&[
            b"relais-charter-1\n",
            &length(charter_text),
            charter_text.as_bytes(),
            &length(policy_text),
            policy_text.as_bytes(),
        ]);
        Ok(Self {
            sheet,
            base,
            rules,
            matrix,
            charter_toml: charter_text.to_owned(),
            policy_csv: policy_text.to_owned(),
            text_hash: data_encoding::HEXLOWER.encode(&digest),
        })
    }

    /// The compiled matrix, computed by the matrix alone: for a version whose publication is on record (compare
    /// `policy_hash`), for printing and for `decide`. A version that is being published goes through [`Self::publish`].
    #[must_use]
    pub const fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// Asks casbin and the reference evaluator about every cell and gives the matrix when all agree.
    ///
    /// # Errors
    /// The first cell on which they do not, or an engine that cannot answer.
    pub fn publish(&self) -> Result<Matrix, CharterError> {
        proof::prove(&self.all_rules(), &self.matrix)?;
        Ok(self.matrix.clone())
    }

    /// The rules of the ceiling, then those of this charter: what casbin is given.
    #[must_use]
    pub fn all_rules(&self) -> Vec<Rule> {
        let mut rules = policy::base_rules(&self.base);
        rules.extend(self.rules.iter().copied());
        rules
    }

    /// The rules of this charter alone: those written in `policy.csv`, then what the pack of a stay leaves out.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    #[must_use]
    pub const fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The categories of a pack.
    #[must_use]
    pub fn pack(&self, pack: Pack) -> &[Category] {
        self.sheet.pack(pack)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.sheet.name
    }

    #[must_use]
    pub fn title(&self) -> &str {
        &self.sheet.title
    }

    /// The label of this version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.sheet.version
    }

    /// Hex SHA-256 of both texts: what a signature binds, with `policy_hash`.
    #[must_use]
    pub fn text_hash(&self) -> &str {
        &self.text_hash
    }

    #[must_use]
    pub fn policy_hash(&self) -> &str {
        self.matrix.policy_hash()
    }

    /// The sheet as it was read.
    #[must_use]
    pub fn charter_toml(&self) -> &str {
        &self.charter_toml
    }

    /// The rules as they were read.
    #[must_use]
    pub fn policy_csv(&self) -> &str {
        &self.policy_csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::{Profession, Secrecy};

    fn refused(toml: &str, csv: &str) -> Vec<Finding> {
        match Charter::from_files(toml, csv) {
            Err(CharterError::Refused(found)) => found.iter().cloned().collect(),
            other => panic!("{other:?}"),
        }
    }

    /// A stay of which leisure is no part.
    fn without_leisure(toml: &str) -> String {
        let pack = "\"identity\", \"health_minimal\", \"practical\", \"leisure\"]";
        assert!(toml.contains(pack));
        toml.replace(pack, "\"identity\", \"health_minimal\", \"practical\"]")
    }

    fn line_of(text: &str, needle: &str) -> u32 {
        u32::try_from(text.lines().position(|l| l.contains(needle)).unwrap()).unwrap() + 1
    }

    #[test]
    fn the_demonstration_tightens_at_least_six_cells_and_keeps_the_stay_possible() {
        let charter = Charter::embedded_demo().unwrap();
        let ceiling = Matrix::ceiling().unwrap();
        let mut tightened = 0;
        for &p in Profession::ALL {
            for s in [Secrecy::Bound, Secrecy::NotBound] {
                for &c in Category::ALL {
                    let (ours, theirs) = (charter.matrix().cell(p, s, c), ceiling.cell(p, s, c));
                    assert!(ours.within(theirs), "{p} {s} {c}");
                    tightened += usize::from(ours != theirs);
                }
            }
        }
        assert!(tightened >= 6, "{tightened}");
        for &c in charter.pack(Pack::Stay) {
            let cell = charter.matrix().cell(Profession::StayOrganiser, Secrecy::NotBound, c);
            assert_eq!(cell, ceiling.cell(Profession::StayOrganiser, Secrecy::NotBound, c));
        }
        assert_eq!(charter.pack(Pack::Stay).len(), 4);
        assert_eq!(charter.sheet().need("warm_clothes"), Some("Vêtements chauds"));
        assert_eq!(charter.sheet().need("Warm"), None);
    }

    #[test]
    fn both_hashes_tell_versions_apart() {
        let (one, two) = (Charter::embedded_demo().unwrap(), Charter::embedded_demo_v2().unwrap());
        assert!(one.text_hash() != two.text_hash() && one.policy_hash() != two.policy_hash());
        let renamed = DEMO.0.replace("name = \"demonstration\"", "name = \"autre\"");
        let renamed = Charter::from_files(&renamed, DEMO.1).unwrap();
        assert!(renamed.text_hash() != one.text_hash() && renamed.policy_hash() == one.policy_hash());
        let again = Charter::from_files(one.charter_toml(), one.policy_csv()).unwrap();
        assert_eq!(again.text_hash(), one.text_hash());
    }

    #[test]
    fn law_r18_no_stay_carries_what_its_pack_leaves_out_and_publication_proves_it() {
        let whole = Charter::embedded_demo().unwrap();
        let narrowed = Charter::from_files(&without_leisure(DEMO.0), DEMO.1).unwrap();
        for &purpose in Purpose::ALL {
            for &category in Category::ALL {
                let left_out = (purpose, category) == (Purpose::Stay, Category::Leisure);
                let before = whole.matrix().purpose_carries(purpose, category);
                let after = narrowed.matrix().purpose_carries(purpose, category);
                assert_eq!(after, before && !left_out, "{purpose} {category}");
            }
        }
        assert!(whole.matrix().purpose_carries(Purpose::Stay, Category::Leisure));
        assert_eq!(narrowed.rules().len(), whole.rules().len() + 1);
        // The pack is an answer of the policy: who signs it, or cites it, signs and cites another one.
        assert_ne!(narrowed.policy_hash(), whole.policy_hash());
        assert_eq!(narrowed.publish().unwrap().policy_hash(), narrowed.policy_hash(), "casbin says the same");
        // A subject that the policy took away already is not refused twice, which casbin would not load.
        let both = DEMO.1.to_owned() + "p, *, *, leisure, stay, N, deny\n";
        let twice = Charter::from_files(&without_leisure(DEMO.0), &both).unwrap();
        assert_eq!(twice.policy_hash(), narrowed.policy_hash());
        assert!(twice.publish().is_ok());
    }

    #[test]
    fn every_wrong_place_of_the_sheet_is_named() {
        let one = |from: &str, to: &str| {
            assert!(DEMO.0.contains(from), "{from}");
            let text = DEMO.0.replace(from, to);
            let found = refused(&text, DEMO.1);
            assert_eq!(found.len(), 1, "{found:?}");
            (found[0].line(), found[0].column(), found[0].message().to_owned())
        };
        let at = |needle| line_of(DEMO.0, needle);
        let (line, column, said) = one("backup_days = 35", "backup_day = 35");
        assert_eq!((line, column), (at("backup_days"), 1));
        assert!(said.contains("clé inconnue « backup_day »"), "{said}");
        let (line, column, _) = one("backup_days = 35", "backup_days = 36");
        assert_eq!((line, column), (at("backup_days"), 15));
        let (line, _, said) =
            one("\"identity\", \"health_minimal\"", "\"identity\", \"family\", \"health_minimal\"");
        assert_eq!(line, at("health_minimal\", \"practical\", \"leisure"));
        assert!(said.contains("ne porte pas"), "{said}");
        assert!(one("kind = \"school\"", "kind = \"université\"").2.contains("université"));
        assert!(one("code = \"cost\"", "code = \"meal\"").2.contains("deux fois"));
        assert!(one("code = \"cost\"", "code = \"Coût\"").2.contains("minuscules"));
        assert!(one("term = \"besoin pratique\"", "term = \"passage de relais\"").2.contains("deux fois"));
        assert!(one("public = \"Enfants", "public = \"\"\npublik = \"").2.contains("publik"));
        assert!(
            one("title = \"Charte de coopération du Territoire de Val-d'Orme\"", "title = \" \"")
                .2
                .contains("vide")
        );
        assert!(one("version = \"2026-1\"", "version = 2026").2.contains("genre"));
        assert!(one("version = \"2026-1\"\n", "").2.contains("il manque la clé « version »"));
        assert!(one("name = \"demonstration\"", "name = \"demonstration").2.contains("TOML"));
    }

    #[test]
    fn law_follow_up_and_evaluation_are_distinct() {
        let follow_up = DEMO.0.lines().find(|l| l.starts_with("follow_up")).unwrap().replace("follow_up", "");
        let evaluation = DEMO.0.lines().find(|l| l.starts_with("evaluation")).unwrap();
        let found = refused(&DEMO.0.replace(evaluation, &format!("evaluation{follow_up}")), DEMO.1);
        assert!(found[0].message().contains("distincts"));
    }

    #[test]
    fn findings_of_both_files_come_together() {
        let found =
            refused(&DEMO.0.replace("backup_days = 35", "backup_days = 0"), &DEMO.1.replace("deny", "Deny"));
        let files: Vec<&str> = found.iter().map(Finding::file).collect();
        assert!(files.contains(&"charter.toml") && files.contains(&"policy.csv") && files.len() > 6);
        assert!(Charter::read(b"\xFF", b"").is_err() && Charter::read(DEMO.0.as_bytes(), b"p\xFF").is_err());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Charter::from_folder(Path::new("nowhere")).unwrap_err();
        assert!(error.to_string().contains("nowhere"));
    }
}
