//! Bulk loads from CSV: structures, then people with their affectations.
//!
//! INVARIANT: all or nothing: a file with one wrong line imports nothing, and every wrong place is named.
//! INVARIANT: an import makes nobody's access: accounts are invited, affectations are stated; who imports neither
//! recognises nor confirms them.
//!
//! Columns are exact: a missing, repeated or unknown one is refused.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ServiceError;
use super::accounts::{FreshCode, Invited, NewAccount};
use super::app::App;
use super::console::{Author, Office};
use super::credentials::Login;
use super::flow::{Act, Change};
use super::structures::{
    AssignmentDraft, MissionDraft, OrganisationDraft, Warning, code_is_sound, separation,
};
use crate::charter::Finding;
use crate::charter::reader::{Dialect, Field, Row, Table, table};
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::secrecy::{self, SecrecyBasis};
use crate::domain::text::{EntryError, Text};
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy, UnknownWord};
use crate::ids::{AssignmentId, OrganisationId, ProfessionalId};
use crate::store::organisation::Organisation;

/// More lines than this are several files.
const LONGEST: usize = 500;

/// Whether to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Reads and judges only.
    DryRun,
    Write,
}

/// What was done, or would be done, for one line.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct ReportLine {
    pub line: u32,
    pub done: String,
    pub warnings: Vec<Warning>,
}

/// Something wrong at one place.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// Somebody invited by an import.
#[derive(Serialize)]
pub struct InvitedLine {
    pub login: String,
    pub name: String,
    #[serde(flatten)]
    pub invited: Invited,
}

/// The report, line by line.
#[derive(Serialize)]
pub struct Report {
    /// Whether anything was written.
    pub written: bool,
    pub lines: Vec<ReportLine>,
    pub wrong: Vec<Wrong>,
    /// Codes to hand over, shown this once.
    pub invited: Vec<InvitedLine>,
    /// Affectations stated, to be confirmed by a second person.
    pub stated: Vec<AssignmentId>,
}

impl Report {
    fn refused(found: Vec<Finding>) -> Self {
        let mut wrong: Vec<Wrong> = found
            .into_iter()
            .map(|f| Wrong { line: f.line(), column: f.column(), message: f.message().to_owned() })
            .collect();
        wrong.sort_by_key(|w| (w.line, w.column));
        Self { written: false, lines: Vec::new(), wrong, invited: Vec::new(), stated: Vec::new() }
    }
}

const ORGANISATIONS: [&str; 6] = ["code", "name", "kind", "territory", "telephone", "missions"];
const PROFESSIONALS: [&str; 11] = [
    "login",
    "name",
    "telephone",
    "organisation",
    "mission",
    "profession",
    "function",
    "secrecy",
    "secrecy_basis",
    "secrecy_until",
    "starts",
];

/// Reads a table of exactly these columns.
fn read<const N: usize>(
    name: &str,
    bytes: &[u8],
    names: [&str; N],
) -> Result<(Table, [usize; N]), Vec<Finding>> {
    let t = table(name, bytes, Dialect::ROWS)?;
    let mut found = Vec::new();
    for field in &t.header {
        if !names.contains(&field.text.as_str()) {
            found.push(t.at(field, format!("colonne inconnue ; colonnes possibles : {}", names.join(", "))));
        }
    }
    if t.rows.len() > LONGEST {
        found.push(Finding::new(
            name,
            1,
            1,
            format!("plus de {LONGEST} lignes : coupez le fichier en plusieurs"),
        ));
    }
    match t.columns(names) {
        Ok(columns) if found.is_empty() => Ok((t, columns)),
        Ok(_) => Err(found),
        Err(missing) => {
            found.extend(missing);
            Err(found)
        }
    }
}

/// One row, whose cells are read with their errors kept.
struct Cells<'a, const N: usize> {
    table: &'a Table,
    row: &'a Row,
    columns: [usize; N],
}

impl<const N: usize> Cells<'_, N> {
    fn field(&self, at: usize) -> Option<&Field> {
        self.columns.get(at).and_then(|c| self.row.fields.get(*c))
    }

    fn text(&self, at: usize) -> &str {
        self.field(at).map_or("", |f| f.text.as_str())
    }

    fn wrong(&self, at: usize, message: impl Into<String>, found: &mut Vec<Finding>) {
        if let Some(field) = self.field(at) {
            found.push(self.table.at(field, message));
        }
    }

    fn entry<T>(
        &self,
        at: usize,
        parse: impl Fn(&str) -> Result<T, EntryError>,
        found: &mut Vec<Finding>,
    ) -> Option<T> {
        match parse(self.text(at)) {
            Ok(value) => Some(value),
            Err(e) => {
                self.wrong(at, e.french(), found);
                None
            }
        }
    }

    fn word<T: Copy>(
        &self,
        at: usize,
        parse: impl Fn(&str) -> Result<T, UnknownWord>,
        codes: &str,
        found: &mut Vec<Finding>,
    ) -> Option<T> {
        match parse(self.text(at)) {
            Ok(value) => Some(value),
            Err(_) => {
                self.wrong(at, format!("mot inconnu ; mots possibles : {codes}"), found);
                None
            }
        }
    }

    fn optional<T>(
        &self,
        at: usize,
        read: impl FnOnce(&Self, &mut Vec<Finding>) -> Option<T>,
        found: &mut Vec<Finding>,
    ) -> Option<Option<T>> {
        if self.text(at).is_empty() { Some(None) } else { read(self, found).map(Some) }
    }
}

macro_rules! codes {
    ($list:ident) => {
        $list::ALL.iter().map(|w| w.code()).collect::<Vec<_>>().join(", ")
    };
}

fn missions(
    cells: &Cells<'_, { ORGANISATIONS.len() }>,
    at: usize,
    found: &mut Vec<Finding>,
) -> Option<Vec<MissionDraft>> {
    let mut out = Vec::new();
    for part in cells.text(at).split(';') {
        let read = part.split_once(':').and_then(|(code, title)| {
            let code = Text::parse(code).ok().filter(|c: &Text<40>| code_is_sound(c.as_str()))?;
            Some(MissionDraft { code, title: Text::parse(title).ok()? })
        });
        match read {
            Some(mission) => out.push(mission),
            None => {
                cells.wrong(
                    at,
                    "missions illisibles : écrivez `code:titre;code:titre`, les codes en minuscules",
                    found,
                );
                return None;
            }
        }
    }
    Some(out)
}

fn organisation_of(
    cells: &Cells<'_, { ORGANISATIONS.len() }>,
    found: &mut Vec<Finding>,
) -> Option<OrganisationDraft> {
    let code = cells.entry(0, Text::<40>::parse, found);
    if code.as_ref().is_some_and(|c| !code_is_sound(c.as_str())) {
        cells.wrong(0, "un code s'écrit en minuscules sans accent, chiffres, tirets", found);
        return None;
    }
    let name = cells.entry(1, Text::<120>::parse, found);
    let kind = cells.word(2, OrganisationKind::parse, &codes!(OrganisationKind), found);
    let territory = cells.entry(3, Text::<120>::parse, found);
    let telephone = cells.entry(4, Phone::parse, found);
    let missions = missions(cells, 5, found);
    Some(OrganisationDraft {
        code: code?,
        name: name?,
        kind: kind?,
        territory: territory?,
        telephone: telephone?,
        missions: missions?,
    })
}

/// One line of the file of people.
struct Line {
    line: u32,
    account: NewAccount,
    assignment: AssignmentDraft,
}

fn line_of(
    cells: &Cells<'_, { PROFESSIONALS.len() }>,
    structures: &[Organisation],
    found: &mut Vec<Finding>,
) -> Option<Line> {
    let login = cells.entry(0, Login::parse, found);
    let name = cells.entry(1, Text::<120>::parse, found);
    let telephone = cells.entry(2, Phone::parse, found);
    let structure = structures.iter().find(|o| o.words.code == cells.text(3));
    if structure.is_none() {
        cells.wrong(3, "aucune structure n'a ce code : importez-la d'abord", found);
    }
    let mission = structure.and_then(|o| o.words.missions.iter().find(|m| m.code == cells.text(4)));
    if structure.is_some() && mission.is_none() {
        cells.wrong(4, "cette structure n'a pas cette mission", found);
    }
    let profession = cells.word(5, Profession::parse, &codes!(Profession), found);
    let function = cells.word(6, Function::parse, &codes!(Function), found);
    let secrecy = cells.word(7, Secrecy::parse, &codes!(Secrecy), found);
    let basis =
        cells.optional(8, |c, found| c.word(8, SecrecyBasis::parse, &codes!(SecrecyBasis), found), found);
    let until = cells.optional(9, |c, found| c.entry(9, Day::parse, found), found);
    let starts = cells.optional(10, |c, found| c.entry(10, Day::parse, found), found);
    if let (Some(secrecy), Some(basis), Some(until)) = (secrecy, basis, until)
        && let Err(e) = secrecy::check(secrecy, basis, until.is_some())
    {
        cells.wrong(8, super::structures::secrecy_sentence(e), found);
        return None;
    }
    Some(Line {
        line: cells.row.line,
        account: NewAccount { login: login?, name: name?, telephone: telephone? },
        assignment: AssignmentDraft {
            // Replaced by the account's own id, which is made when the line is written.
            professional: ProfessionalId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").ok()?,
            organisation: structure?.id.clone(),
            mission: mission?.id.clone(),
            profession: profession?,
            function: function?,
            secrecy: secrecy?,
            secrecy_basis: basis?,
            secrecy_until: until?,
            starts: starts?,
            ends: None,
        },
    })
}

impl App {
    /// Imports structures: an administrator, or the command line.
    ///
    /// # Errors
    /// [`ServiceError`]; what is wrong with the file is in the report.
    pub fn import_organisations(
        &self,
        author: Author<'_>,
        name: &str,
        bytes: &[u8],
        mode: Mode,
    ) -> Result<Report, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Organisation };
        let (t, columns) = match read(name, bytes, ORGANISATIONS) {
            Ok(read) => read,
            Err(found) => return Ok(Report::refused(found)),
        };
        let mut found = Vec::new();
        // Each with the line that it came from: a line that is wrong makes no draft.
        let mut drafts: Vec<(&Row, OrganisationDraft)> = Vec::new();
        for row in &t.rows {
            let cells = Cells { table: &t, row, columns };
            let Some(draft) = organisation_of(&cells, &mut found) else { continue };
            if drafts.iter().any(|(_, d)| d.code == draft.code) {
                cells.wrong(0, "ce code est déjà plus haut dans le fichier", &mut found);
            }
            drafts.push((row, draft));
        }
        let stored =
            self.import_look(author, act, |office| office.snapshot.organisations().map_err(Into::into))?;
        for (row, draft) in &drafts {
            if stored.iter().any(|o| o.words.code == draft.code.as_str()) {
                Cells { table: &t, row, columns }.wrong(0, "une structure a déjà ce code", &mut found);
            }
        }
        if !found.is_empty() {
            return Ok(Report::refused(found));
        }
        let ids =
            drafts.iter().map(|_| OrganisationId::random(self.chance())).collect::<Result<Vec<_>, _>>()?;
        if mode == Mode::Write && !drafts.is_empty() {
            self.administer(author, act, |office| {
                office.administers()?;
                let mut change = Change::new(name);
                for (id, (_, draft)) in ids.iter().zip(&drafts) {
                    change = office.organisation_into(change, id, draft, &mut None)?;
                }
                Ok(change)
            })?;
        }
        let lines = drafts
            .iter()
            .map(|(row, d)| ReportLine {
                line: row.line,
                done: format!("structure « {} » ({})", d.name.as_str(), d.code.as_str()),
                warnings: Vec::new(),
            })
            .collect();
        let written = mode == Mode::Write;
        Ok(Report { written, lines, wrong: Vec::new(), invited: Vec::new(), stated: Vec::new() })
    }

    /// What an import needs to see before it judges a file.
    fn import_look<T>(
        &self,
        author: Author<'_>,
        act: Act,
        look: impl Fn(&mut Office<'_>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let act = Act { action: Action::List, ..act };
        let seen = match author {
            Author::Session(call) => self.read_desk(call, act, |desk| {
                let mut office = Office::at(desk);
                office.administers()?;
                look(&mut office)
            })?,
            Author::Console(command) => self.console_read(act, command, look)?,
        };
        Ok(seen.into_inner())
    }

    /// Imports people with their affectations: several lines with one login are one person with several affectations.
    ///
    /// # Errors
    /// [`ServiceError`]; what is wrong with the file is in the report.
    pub fn import_professionals(
        &self,
        author: Author<'_>,
        name: &str,
        bytes: &[u8],
        mode: Mode,
    ) -> Result<Report, ServiceError> {
        let act = Act { action: Action::Invite, resource: ResourceKind::Professional };
        let (t, columns) = match read(name, bytes, PROFESSIONALS) {
            Ok(read) => read,
            Err(found) => return Ok(Report::refused(found)),
        };
        let (structures, logins) = self.import_look(author, act, |office| {
            let logins: Vec<String> =
                office.snapshot.professionals()?.into_iter().map(|p| p.words.login).collect();
            Ok((office.snapshot.organisations()?, logins))
        })?;
        let mut found = Vec::new();
        let mut people: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for row in &t.rows {
            let cells = Cells { table: &t, row, columns };
            let Some(line) = line_of(&cells, &structures, &mut found) else { continue };
            let login = line.account.login.as_str().to_lowercase();
            if logins.contains(&login) {
                cells.wrong(
                    0,
                    "ce compte existe déjà : ajoutez l'affectation dans l'application",
                    &mut found,
                );
                continue;
            }
            let others = people.entry(login.clone()).or_insert_with(|| {
                order.push(login);
                Vec::new()
            });
            if let Some(first) = others.first()
                && (first.account.name != line.account.name
                    || first.account.telephone != line.account.telephone)
            {
                cells.wrong(1, "le même identifiant a un autre nom ou téléphone plus haut", &mut found);
            }
            let professions: Vec<Profession> = others.iter().map(|o| o.assignment.profession).collect();
            if separation(line.assignment.profession, &professions).is_err() {
                cells.wrong(
                    5,
                    "administration, audit et protection des données ne vont pas avec une autre affectation",
                    &mut found,
                );
            }
            others.push(line);
        }
        if !found.is_empty() {
            return Ok(Report::refused(found));
        }
        // Everything that is random is made here: the change below may be planned again.
        let mut fresh = Vec::with_capacity(order.len());
        for login in &order {
            let mut assignments = Vec::new();
            for _ in people.get(login).map_or(&[][..], Vec::as_slice) {
                assignments.push(AssignmentId::random(self.chance())?);
            }
            fresh.push((ProfessionalId::random(self.chance())?, FreshCode::new(self)?, assignments));
        }
        let plan = |office: &mut Office<'_>, lines_out: &mut Vec<ReportLine>| {
            office.administers()?;
            let mut change = Change::new(name);
            for (login, (id, code, assignments)) in order.iter().zip(&fresh) {
                let lines = people.get(login).map_or(&[][..], Vec::as_slice);
                if let Some(first) = lines.first() {
                    change = office.invite_into(change, id, &first.account, code)?;
                }
                for (line, assignment) in lines.iter().zip(assignments) {
                    let draft = AssignmentDraft { professional: id.clone(), ..line.assignment.clone() };
                    change = office.assignment_into(change, assignment, &draft, &[])?;
                    lines_out.push(ReportLine {
                        line: line.line,
                        done: format!(
                            "« {} » : {}, à confirmer par une seconde personne",
                            line.account.name.as_str(),
                            draft.profession.french()
                        ),
                        warnings: office.warnings(draft.profession, draft.secrecy),
                    });
                }
            }
            lines_out.sort_by_key(|l| l.line);
            Ok(change)
        };
        if mode == Mode::DryRun {
            let lines = self.import_look(author, act, |office| {
                let mut lines = Vec::new();
                plan(office, &mut lines).map(|_| lines)
            })?;
            return Ok(Report {
                written: false,
                lines,
                wrong: Vec::new(),
                invited: Vec::new(),
                stated: Vec::new(),
            });
        }
        let lines = std::cell::RefCell::new(Vec::new());
        if !order.is_empty() {
            self.administer(author, act, |office| {
                let mut out = Vec::new();
                let change = plan(office, &mut out)?;
                lines.replace(out);
                Ok(change)
            })?;
        }
        let mut invited = Vec::with_capacity(order.len());
        let mut stated = Vec::new();
        for (login, (id, code, assignments)) in order.into_iter().zip(fresh) {
            let name = people
                .get(&login)
                .and_then(|l| l.first())
                .map_or_else(String::new, |l| l.account.name.as_str().to_owned());
            invited.push(InvitedLine { login, name, invited: self.shown(id, &code) });
            stated.extend(assignments);
        }
        Ok(Report { written: true, lines: lines.into_inner(), wrong: Vec::new(), invited, stated })
    }
}
