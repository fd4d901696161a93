//! The help of the command line, wholly in French: the words that the library would add by itself are ours instead.
//!
//! INVARIANT: it changes what is read, never what is understood.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

const HELP: &str = "\
{about-with-newline}
Usage : {usage}

{all-args}{after-help}";

/// What is said of an argument, with its default and the values that it takes.
fn completed(said: Option<&StyledStr>, arg: &Arg) -> Option<String> {
    let mut said = said?.to_string();
    // A switch has values too, `true` and `false`, which nobody types.
    if !arg.get_action().takes_values() {
        return Some(said);
    }
    let listed: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !listed.is_empty() {
        said.push_str(&format!(" [au choix : {}]", listed.join(", ")));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() {
        said.push_str(&format!(" [défaut : {}]", defaults.join(", ")));
    }
    Some(said)
}

fn argument(arg: Arg) -> Arg {
    let heading = if arg.is_positional() { "Arguments " } else { "Options " };
    let (short, long) = (completed(arg.get_help(), &arg), completed(arg.get_long_help(), &arg));
    let mut arg = arg.help_heading(heading);
    if arg.get_action().takes_values() {
        arg = arg.hide_default_value(true).hide_possible_values(true);
    }
    if let Some(short) = short {
        arg = arg.help(short);
    }
    if let Some(long) = long {
        arg = arg.long_help(long);
    }
    arg
}

fn one(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .help_template(HELP)
        .subcommand_help_heading("Commandes ")
        .subcommand_value_name("COMMANDE")
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Affiche cette aide"))
        .mut_args(argument)
        .mut_subcommands(one)
}

/// The same command, explained in French.
pub(super) fn explained(command: Command) -> Command {
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help("Affiche la version de ce programme");
    one(command.arg(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_help(command: &mut Command, path: &str, out: &mut Vec<(String, String)>) {
        out.push((path.to_owned(), command.render_help().to_string()));
        out.push((path.to_owned(), command.render_long_help().to_string()));
        for inner in command.get_subcommands_mut() {
            let path = format!("{path} {}", inner.get_name());
            every_help(inner, &path, out);
        }
    }

    #[test]
    fn the_help_of_every_command_is_in_french() {
        let mut command = super::super::command();
        command.build();
        let mut all = Vec::new();
        every_help(&mut command, "relais", &mut all);
        assert!(all.len() > 60, "{}", all.len());
        for (path, help) in &all {
            assert!(help.contains("Usage : relais"), "{path}:\n{help}");
            assert!(help.contains("Affiche cette aide"), "{path}:\n{help}");
            for english in [
                "Print",
                "Usage:",
                "[default",
                "[possible",
                "Commands",
                "Options:",
                "Example",
                "COMMAND>",
                "[aliases",
                " the ",
                " with ",
                " and ",
                " folder",
            ] {
                assert!(!help.contains(english), "{path}: `{english}`\n{help}");
            }
        }
    }

    #[test]
    fn defaults_and_choices_are_told_in_french_and_still_understood() {
        let mut command = super::super::command();
        command.build();
        let demo = command.find_subcommand_mut("demo").unwrap().render_help().to_string();
        assert!(demo.contains("[défaut : 127.0.0.1:8443]"), "{demo}");
        let charter = command.find_subcommand_mut("charter").unwrap();
        let matrix = charter.find_subcommand_mut("matrix").unwrap().render_help().to_string();
        assert!(matrix.contains("[au choix : md, csv]") && matrix.contains("[défaut : md]"), "{matrix}");
        for (words, kind) in [
            (&["relais", "serve", "-h"][..], clap::error::ErrorKind::DisplayHelp),
            (&["relais", "charter", "matrix", "--help"], clap::error::ErrorKind::DisplayHelp),
            (&["relais", "-V"], clap::error::ErrorKind::DisplayVersion),
        ] {
            let asked = super::super::command().try_get_matches_from(words);
            assert_eq!(asked.unwrap_err().kind(), kind, "{words:?}");
        }
    }
}
