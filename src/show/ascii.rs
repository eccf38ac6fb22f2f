//! Text for a terminal that shows only ASCII.

/// The text with an ASCII character in place of each other one: of bars, frames and marks the most similar one, of accented letters the
/// letter, else `?`. The number of characters stays.
pub fn ascii(text: &str) -> String {
    text.chars().map(similar).collect()
}

fn similar(character: char) -> char {
    match character {
        '\0'..='\u{7f}' => character,
        '█' | '▉' | '▊' | '▋' | '▌' | '▇' | '▆' => '#',
        '▍' | '▎' | '▏' | '▂' | '▁' | '·' | '…' => '.',
        '▅' | '▄' | '├' | '└' => '+',
        '▃' => '-',
        '│' => '|',
        '×' => 'x',
        '²' => '2',
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        '○' | 'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ć' | 'č' | 'ç' => 'c',
        'ñ' => 'n',
        'š' | 'ß' => 's',
        _ => '?',
    }
}
