//! The languages in which a sheet is read aloud. It decides nothing: an accord takes any tag, this offers the usual ones.

use super::Choice;

/// Languages in which a sheet is read, those of the country's families first.
pub(super) fn languages() -> Vec<Choice> {
    [
        ("fr", "Français"),
        ("ar", "Arabe"),
        ("pt", "Portugais"),
        ("fr-LSF", "Langue des signes française"),
        ("en", "Anglais"),
        ("es", "Espagnol"),
        ("it", "Italien"),
        ("tr", "Turc"),
        ("ro", "Roumain"),
        ("pl", "Polonais"),
        ("ru", "Russe"),
        ("uk", "Ukrainien"),
        ("sq", "Albanais"),
        ("hy", "Arménien"),
        ("ka", "Géorgien"),
        ("fa", "Persan, dari"),
        ("ps", "Pachto"),
        ("ur", "Ourdou"),
        ("ta", "Tamoul"),
        ("bn", "Bengali"),
        ("zh", "Chinois"),
        ("vi", "Vietnamien"),
        ("bm", "Bambara"),
        ("wo", "Wolof"),
        ("ff", "Peul"),
        ("snk", "Soninké"),
        ("so", "Somali"),
        ("ti", "Tigrigna"),
        ("ln", "Lingala"),
        ("ber", "Berbère"),
        ("rom", "Romani"),
        ("ht", "Créole haïtien"),
    ]
    .into_iter()
    .map(|(code, french)| Choice::new(code, french))
    .collect()
}
