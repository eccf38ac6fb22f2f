//! Text for a terminal that shows only ASCII.

/// The text with each character outside ASCII replaced by one of ASCII: a bar, frame or mark by the most similar one, an accented letter
/// by its base letter, anything else by `?`. The number of characters stays the same.
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
