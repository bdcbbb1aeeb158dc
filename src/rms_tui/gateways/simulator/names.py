"""Invented names of clients, among them the ones that break careless programs.

Names come from outside in every broker's database; a dealer's screen must survive markup, HTML,
control characters and right-to-left text in them. So the demo has some.
"""

from __future__ import annotations

import numpy as np

HOSTILE = (
    "[red]Bob[/red]",
    "<img src=x onerror=alert(1)>",
    "👩‍🚀 Zoë 🚀",
    "山田 太郎",
    "سارة الحسن",
    "Mallory \x1b[31m\x07\t\x00Bell",
    "Eve[/]",
    "\u202eevil\u202c Twin",
)

_GIVEN = (
    "Ada Adrian Aiko Alma Amir Anika Anton Aria Bela Bruno Carla Cedric Chiara Dario Dina Edda Elif"
    " Emil Enzo Esra Faye Felix Freya Gita Goran Greta Hana Hugo Ida Ines Ismail Ivo Jana Jonas"
    " Juno Kaan Karim Kira Lars Leila Lena Linus Luca Maeve Malik Marta Milan Mina Nadia Nils Nora"
    " Olga Omar Otto Petra Priya Quinn Rafael Rania Remy Rosa Samir Selma Silas Sofia Stefan Tara"
    " Theo Tomas Uma Vera Viktor Wanda Yara Yusuf Zane Zita"
)

_FAMILY = (
    "Abendroth Achterberg Almasi Anderholt Asante Balogun Barkov Bellweather Bergqvist Birkenau"
    " Brannigan Calloway Castelmare Chandra Corvino Dalgaard Delacroix Dimovski Drummond Eastgate"
    " Eklund Farahani Fennimore Ferrante Galanis Garrick Haverford Hollander Horvath Ibarra"
    " Iwasaki Jankovic Jefferies Kaminski Karlsen Kestrel Kowalczyk Lanzarote Lindqvist Lockhart"
    " Mahmoudi Marchetti Mbeki Merriweather Montclair Nakagawa Nordahl Novotny Oakenshaw Okonjo"
    " Ostrander Palmgren Papadakis Pemberton Quintero Radcliffe Rasmussen Rivenhall Rosenquist"
    " Sandoval Sarkisian Silvano Sorensen Stavros Takahara Tennant Thornbury Ulrich Vandermeer"
    " Varga Vasquez Velasco Waldorf Westergaard Whitlock Xanthis Yamanote Yilmaz Zavala Zielinski"
)


def names_of(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """A name for each of `count` clients, the hostile ones spread among them."""
    given, family = _GIVEN.split(), _FAMILY.split()
    first = rng.integers(0, len(given), count).tolist()
    last = rng.integers(0, len(family), count).tolist()
    names = [f"{given[a]} {family[b]}" for a, b in zip(first, last, strict=True)]
    rows = np.linspace(1, max(count - 2, 1), len(HOSTILE)).astype(int).tolist()
    for row, name in zip(rows, HOSTILE, strict=True):
        if row < count:
            names[row] = name
    return tuple(names)
