//! `relais organisation add | list`: structures, without a session. Each act has its record.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use super::init::word;
use super::instance::{Instance, told};
use crate::config::Settings;
use crate::domain::contact::Phone;
use crate::domain::text::Text;
use crate::domain::vocabulary::OrganisationKind;
use crate::service::Author;
use crate::service::structures::{MissionDraft, OrganisationDraft};

/// The commands about structures.
#[derive(Debug, clap::Subcommand)]
pub enum OrganisationCommand {
    /// Ajoute une structure
    #[command(
        after_help = "Exemple : relais organisation add ccas \"CCAS\" --kind town --territory Val-d'Orme --telephone 0102030405 --mission \"secteur:Service social de secteur\""
    )]
    Add {
        /// Code court, en minuscules
        code: String,
        /// Nom
        name: String,
        /// Genre : town, association, school, department, health, state, network
        #[arg(long, value_parser = OrganisationKind::parse)]
        kind: OrganisationKind,
        /// Territoire
        #[arg(long)]
        territory: String,
        /// Téléphone
        #[arg(long)]
        telephone: String,
        /// Mission, « code:titre » (option répétable)
        #[arg(long = "mission", value_name = "CODE:TITRE", required = true)]
        missions: Vec<String>,
    },
    /// Liste les structures
    #[command(after_help = "Exemple : relais organisation list --json")]
    List {
        /// Pour une machine
        #[arg(long)]
        json: bool,
    },
}

fn mission(text: &str) -> Result<MissionDraft> {
    let (code, title) =
        text.split_once(':').ok_or_else(|| anyhow!("mission `{text}` : écrivez « code:titre »"))?;
    Ok(MissionDraft {
        code: word("code de mission", Text::parse(code))?,
        title: word("titre de mission", Text::parse(title))?,
    })
}

/// Runs one command.
///
/// # Errors
/// What is refused, in words.
pub fn run(command: &OrganisationCommand, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    match command {
        OrganisationCommand::Add { code, name, kind, territory, telephone, missions } => {
            let draft = OrganisationDraft {
                code: word("code", Text::parse(code))?,
                name: word("nom", Text::parse(name))?,
                kind: *kind,
                territory: word("territoire", Text::parse(territory))?,
                telephone: word("téléphone", Phone::parse(telephone))?,
                missions: missions.iter().map(|m| mission(m)).collect::<Result<_>>()?,
            };
            let instance = Instance::open(settings)?;
            let author = Author::Console("organisation add");
            let made = instance.app.organisation_create(author, &draft).map_err(told)?;
            writeln!(out, "Structure ajoutée : {}", made.id)?;
        }
        OrganisationCommand::List { json } => {
            let instance = Instance::open(settings)?;
            let all = instance.app.console_organisations("organisation list").map_err(told)?.into_inner();
            if *json {
                serde_json::to_writer(&mut *out, &all)?;
                writeln!(out)?;
            } else {
                for o in &all.items {
                    let missions: Vec<&str> = o.missions.iter().map(|m| m.code.as_str()).collect();
                    writeln!(out, "{}\t{}\t{}\t{}", o.code, o.name, o.kind.french(), missions.join(", "))?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
