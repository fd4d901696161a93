//! `relais init`: makes a real instance: database, first structure, two administrators who recognise each other.
//!
//! Nothing is created that was not asked for; every word is checked before anything is written.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};

use super::instance::{Instance, told};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::crypto::kek::{FileKek, KekPlacement};
use crate::domain::contact::Phone;
use crate::domain::text::{EntryError, Text};
use crate::domain::vocabulary::OrganisationKind;
use crate::service::Witnesses;
use crate::service::accounts::NewAccount;
use crate::service::founding::FoundingOrganisation;
use crate::startup::{database_address, keyring};
use crate::store::{DatabaseAddress, InstanceKind, Store};

/// What `relais init` is told.
#[derive(Debug, clap::Args)]
pub struct InitArguments {
    /// Nom de la structure qui tient la plateforme
    #[arg(long, value_name = "NOM")]
    organisation: String,
    /// Code court de cette structure, en minuscules
    #[arg(long, value_name = "CODE", default_value = "plateforme")]
    code: String,
    /// Genre : town, association, school, department, health, state, network
    #[arg(long, value_name = "GENRE", default_value = "town", value_parser = OrganisationKind::parse)]
    kind: OrganisationKind,
    /// Territoire
    #[arg(long, value_name = "NOM")]
    territory: String,
    /// Téléphone de la structure
    #[arg(long, value_name = "NUMÉRO")]
    telephone: String,
    /// Un administrateur, « identifiant:Nom:téléphone » ; deux sont nécessaires : ils se reconnaissent l'un l'autre
    #[arg(long = "admin", value_name = "ID:NOM:TÉL", required = true)]
    admins: Vec<String>,
    /// Crée la clé de chiffrement au chemin de RELAIS_KEK_FILE (hors du dossier de données)
    #[arg(long)]
    create_key: bool,
}

/// A word of the command line, refused in French.
pub(super) fn word<T>(what: &str, read: Result<T, EntryError>) -> Result<T> {
    read.map_err(|e| anyhow!("{what} : {}", e.french()))
}

/// `login:Name:telephone`.
pub(super) fn account(text: &str) -> Result<NewAccount> {
    let mut parts = text.splitn(3, ':');
    let (Some(login), Some(name), Some(telephone)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(anyhow!("`{text}` : écrivez « identifiant:Nom:téléphone »"));
    };
    Ok(NewAccount {
        login: word("identifiant", Text::parse(login))?,
        name: word("nom", Text::parse(name))?,
        telephone: word("téléphone", Phone::parse(telephone))?,
    })
}

/// Says what is there already, before anything is made: an instance and its key are never overwritten.
fn nothing_there(arguments: &InitArguments, settings: &Settings) -> Result<()> {
    if let DatabaseAddress::Sqlite(path) = database_address(settings)
        && path.exists()
    {
        return Err(anyhow!(
            "il y a déjà une instance : `{}`. Rien n'a été changé. Pour la servir : `relais --data {} serve` ; pour en \
             créer une autre, donnez un autre dossier avec --data",
            path.display(),
            settings.data.display()
        ));
    }
    match &settings.kek_file {
        Some(path) if arguments.create_key && path.exists() => Err(anyhow!(
            "il y a déjà une clé : `{}`. Elle n'est jamais remplacée : tout ce qu'elle protège serait perdu. Relancez \
             sans --create-key pour la reprendre, ou donnez un autre chemin dans RELAIS_KEK_FILE",
            path.display()
        )),
        Some(_) | None => Ok(()),
    }
}

/// Makes the instance and prints the two codes, once.
///
/// # Errors
/// When anything is there already, or a word is wrong; then nothing was created.
pub fn run(arguments: &InitArguments, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    let admins = arguments.admins.iter().map(|a| account(a)).collect::<Result<Vec<_>>>()?;
    let admins: [NewAccount; 2] = admins
        .try_into()
        .map_err(|_| anyhow!("il faut exactement deux administrateurs : donnez --admin deux fois"))?;
    let organisation = FoundingOrganisation {
        code: word("code", Text::parse(&arguments.code))?,
        name: word("nom de la structure", Text::parse(&arguments.organisation))?,
        kind: arguments.kind,
        territory: word("territoire", Text::parse(&arguments.territory))?,
        telephone: word("téléphone de la structure", Phone::parse(&arguments.telephone))?,
    };
    let chance = SystemChance::new();
    nothing_there(arguments, settings)?;
    if !settings.data.is_dir() {
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&settings.data)
            .with_context(|| format!("le dossier `{}` ne peut pas être créé", settings.data.display()))?;
    }
    if arguments.create_key {
        let path = settings.kek_file.as_deref().ok_or_else(|| {
            anyhow!("--create-key : dites où avec RELAIS_KEK_FILE, hors du dossier de données")
        })?;
        FileKek::create(path, KekPlacement::OutsideOf(&settings.data), &chance)?;
        writeln!(out, "Clé de chiffrement créée : {}. Gardez-en une copie ailleurs.", path.display())?;
    }
    let keyring = keyring(settings, InstanceKind::Real)?;
    let address = database_address(settings);
    let store = Store::create_with_origin(
        &address,
        InstanceKind::Real,
        keyring,
        &chance,
        SystemClock.now(),
        &format!("{}/relais", settings.public_name),
    )?;
    let instance = Instance::over(store, Witnesses::default())?;
    let founded = instance.app.found(&organisation, &admins).map_err(told)?;
    writeln!(out, "Instance créée dans {}.", settings.data.display())?;
    writeln!(out, "Deux codes d'ouverture, montrés cette seule fois, valables 72 heures :")?;
    for (admin, invited) in admins.iter().zip(&founded.founders) {
        let code = invited.code.as_deref().unwrap_or_default();
        writeln!(out, "  {} ({}) : {code}", admin.name.as_str(), admin.login.as_str())?;
    }
    writeln!(
        out,
        "Remettez à chacun le sien. Chacun ouvre son compte, puis reconnaît l'autre : avant cela, aucun n'accède à rien."
    )?;
    writeln!(out, "Ensuite : `relais certs make`, `relais charter publish DOSSIER`, `relais serve`.")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_second_init_says_in_french_that_an_instance_is_there_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (data, kek) = (folder.path().join("data"), folder.path().join("kek"));
        let environment = BTreeMap::from([("RELAIS_KEK_FILE".to_owned(), kek.to_str().unwrap().to_owned())]);
        let settings = Settings::read(&data, &environment).unwrap();
        let arguments = |create_key| InitArguments {
            organisation: "Ville de Val-d'Orme".to_owned(),
            code: "plateforme".to_owned(),
            kind: OrganisationKind::Town,
            territory: "Val-d'Orme".to_owned(),
            telephone: "0102030405".to_owned(),
            admins: vec!["a.martin:Anne Martin:0601020304".into(), "b.petit:Bruno Petit:0601020305".into()],
            create_key,
        };
        run(&arguments(true), &settings, &mut Vec::new()).unwrap();
        let key = std::fs::read(&kek).unwrap();
        for create_key in [true, false] {
            let mut out = Vec::new();
            let said = run(&arguments(create_key), &settings, &mut out).unwrap_err().to_string();
            assert!(said.contains("il y a déjà une instance") && said.contains("serve"), "{said}");
            assert!(!said.contains("exists") && out.is_empty(), "{said}");
        }
        std::fs::remove_file(data.join("relais.db")).unwrap();
        let said = run(&arguments(true), &settings, &mut Vec::new()).unwrap_err().to_string();
        assert!(said.contains("il y a déjà une clé") && said.contains("sans --create-key"), "{said}");
        assert_eq!(std::fs::read(&kek).unwrap(), key);
    }
}
