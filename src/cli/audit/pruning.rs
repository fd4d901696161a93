//! `relais audit prune propose | confirm | refuse | list`: two persons prune the log, each with the own account.
//!
//! INVARIANT: nothing here can do what the service would not: the command line signs a person in and asks.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use chrono::NaiveDate;

use super::LogOptions;
use super::leaving::instance;
use crate::cli::instance::told;
use crate::cli::person::SignedIn;
use crate::domain::day::{Day, french_date};
use crate::domain::pruning::PruningOpinion;
use crate::domain::record::RetentionClass;
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::Profession;
use crate::ids::PruningId;
use crate::service::{App, PruningDecisionInput, PruningInput, PruningView};

/// Who may ask and who may decide.
const WHO: [Profession; 2] = [Profession::Auditor, Profession::DataProtectionOfficer];

/// The commands about pruning.
#[derive(Debug, clap::Subcommand)]
pub enum PruneCommand {
    /// Demande que les traces d'avant un jour perdent leur contenu ; une seconde personne devra confirmer
    #[command(
        after_help = "Exemple : relais audit prune propose --as d.martin --before 2027-01-01 --reason \"Terme des douze mois\" --kek-file /etc/relais/kek\n\nLe mot de passe et le code sont lus sur l'entrée standard, une ligne chacun. Auditeur ou délégué à la protection des données."
    )]
    Propose {
        #[command(flatten)]
        person: Person,
        /// Les traces d'avant ce jour, à Paris (AAAA-MM-JJ)
        #[arg(long, value_name = "JOUR")]
        before: NaiveDate,
        /// Quelles traces : technical (connexions, listes, recherches)
        #[arg(long, value_name = "CLASSE", default_value = "technical")]
        class: String,
        /// Pourquoi : des faits, ni nom ni contenu
        #[arg(long, value_name = "TEXTE")]
        reason: String,
    },
    /// Confirme la demande de quelqu'un d'autre, et élague
    #[command(
        after_help = "Exemple : relais audit prune confirm NUMÉRO --as a.petit --remark \"Charte et dates relues\" --kek-file /etc/relais/kek\n\nInterrompu, l'élagage reprend seul (`relais jobs run prunings`) ; le journal se vérifie à tout moment."
    )]
    Confirm(Decision),
    /// Refuse la demande de quelqu'un d'autre
    #[command(
        after_help = "Exemple : relais audit prune refuse NUMÉRO --as a.petit --remark \"Enquête en cours\""
    )]
    Refuse(Decision),
    /// Liste les demandes et dit où elles en sont
    #[command(after_help = "Exemple : relais audit prune list --as a.petit")]
    List {
        #[command(flatten)]
        person: Person,
    },
}

/// Who acts, on which instance.
#[derive(Debug, clap::Args)]
pub struct Person {
    /// Identifiant de la personne qui agit
    #[arg(long = "as", value_name = "IDENTIFIANT")]
    login: String,
    #[command(flatten)]
    log: LogOptions,
}

/// Which request, and why.
#[derive(Debug, clap::Args)]
pub struct Decision {
    /// Numéro de la demande
    #[arg(value_name = "NUMÉRO")]
    request: String,
    #[command(flatten)]
    person: Person,
    /// Pourquoi
    #[arg(long, value_name = "TEXTE")]
    remark: String,
}

fn paragraph(text: &str, option: &str) -> Result<Paragraph<600>> {
    Paragraph::parse(text).map_err(|e| anyhow!("{option} : {}", e.french()))
}

fn show(out: &mut dyn Write, one: &PruningView) -> Result<()> {
    writeln!(
        out,
        "{}  {} : {} traces d'avant le {} (n° {} à {})",
        one.id,
        one.state.french(),
        one.records,
        french_date(one.before),
        one.first,
        one.last
    )?;
    writeln!(
        out,
        "    demandé par {} ({}, {}) : {}",
        one.asked_by.name,
        one.asked_by.profession.french(),
        one.asked_by.organisation,
        one.reason
    )?;
    if let (Some(who), Some(remark)) = (&one.decided_by, &one.remark) {
        writeln!(out, "    décidé par {} ({}) : {remark}", who.name, who.profession.french())?;
    }
    Ok(())
}

fn decide(
    app: &App,
    asked: &Decision,
    outcome: PruningOpinion,
    (input, out, progress): (&mut dyn BufRead, &mut dyn Write, &mut dyn Write),
) -> Result<ExitCode> {
    let request = PruningId::parse(&asked.request).map_err(|_| {
        anyhow!("`{}` n'est pas un numéro de demande : `relais audit prune list`", asked.request)
    })?;
    let remark = paragraph(&asked.remark, "--remark")?;
    let person = SignedIn::ask(app, &asked.person.login, &WHO, input, progress)?;
    let decision = PruningDecisionInput { outcome, remark };
    app.pruning_decide(&person.call()?, &request, &decision).map_err(told)?;
    drop(person);
    if outcome == PruningOpinion::Refused {
        writeln!(out, "Refusé : ces traces gardent leur contenu.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let pruned = app.prune_confirmed().map_err(told)?;
    writeln!(
        out,
        "C'est fait : {} traces élaguées. Leurs empreintes restent : le journal se vérifie.",
        pruned.done
    )?;
    if pruned.left > 0 {
        writeln!(out, "Il en reste {} à élaguer : `relais jobs run prunings`.", pruned.left)?;
    }
    if pruned.in_journal {
        writeln!(
            out,
            "Leur contenu est encore dans le fichier d'attente de la base, qu'une lecture retient : `relais jobs run sweep`."
        )?;
    }
    writeln!(out, "Une sauvegarde faite avant l'a encore, jusqu'à son terme (35 jours au plus).")?;
    Ok(ExitCode::SUCCESS)
}

/// Runs one command; the password and the code come from `input`.
///
/// # Errors
/// What is refused, in words.
pub fn run(
    command: &PruneCommand,
    data: &Path,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    match command {
        PruneCommand::Propose { person, before, class, reason } => {
            let class = RetentionClass::parse(class)
                .map_err(|_| anyhow!("--class : `{class}` n'est pas une classe : technical"))?;
            let before = Day::new(*before).map_err(|e| anyhow!("--before : {}", e.french()))?;
            let asked = PruningInput { class, before, reason: paragraph(reason, "--reason")? };
            let instance = instance(&person.log, data)?;
            let who = SignedIn::ask(&instance.app, &person.login, &WHO, input, progress)?;
            let made = instance.app.pruning_ask(&who.call()?, &asked).map_err(told)?;
            let all = instance.app.prunings(&who.call()?).map_err(told)?;
            for one in all.items.iter().filter(|one| one.id.as_str() == made.id) {
                show(out, one)?;
            }
            writeln!(
                out,
                "Une seconde personne confirme ou refuse dans les 30 jours : relais audit prune confirm {}",
                made.id
            )?;
            Ok(ExitCode::SUCCESS)
        }
        PruneCommand::Confirm(asked) => {
            let instance = instance(&asked.person.log, data)?;
            decide(&instance.app, asked, PruningOpinion::Confirmed, (input, out, progress))
        }
        PruneCommand::Refuse(asked) => {
            let instance = instance(&asked.person.log, data)?;
            decide(&instance.app, asked, PruningOpinion::Refused, (input, out, progress))
        }
        PruneCommand::List { person } => {
            let instance = instance(&person.log, data)?;
            let who = SignedIn::ask(&instance.app, &person.login, &WHO, input, progress)?;
            let all = instance.app.prunings(&who.call()?).map_err(told)?;
            if all.items.is_empty() {
                writeln!(out, "Aucune demande d'élagage.")?;
            }
            all.items.iter().try_for_each(|one| show(out, one))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
