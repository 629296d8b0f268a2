"""Reads the headers of the plugin ABI: what is declared, with the comments that belong to it.

The headers are regular, and this reads no more of C than they use. What it does not understand is
an error with file and line, never skipped.
"""

import re
from dataclasses import dataclass, field as default

TAGS = ("ctl", "op", "any", "pure")

TOKEN = re.compile(
    r'(?P<space>[ \t]+)|(?P<line>\n)|(?P<comment>//[^\n]*)|(?P<string>"(?:\\.|[^"\\])*")'
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\d\w*)|(?P<ellipsis>\.\.\.)|(?P<sign>.)"
)


class HeaderError(Exception):
    """A header has something that the tools do not understand."""


@dataclass
class CType:
    """A type: the word it is made of, and the pointers around it."""

    base: str
    is_const: bool = False  # of the base
    pointers: list = default(default_factory=list)  # True for each `*const`, outermost last

    def text(self):
        stars = "".join("*const " if const else "*" for const in self.pointers)
        head = ("const " if self.is_const else "") + self.base
        return (head + " " + stars).rstrip() if stars else head


@dataclass
class Parameter:
    type: CType
    name: str  # empty when the header gives none


@dataclass
class Field:
    name: str
    comment: str
    line: int
    type: CType = None
    count: str = ""  # of an array: a number or a constant
    result: CType = None  # of a function pointer
    parameters: list = None
    members: list = None  # of a union
    section: str = ""  # a comment that stands for itself above the field

    @property
    def is_function(self):
        return self.parameters is not None

    @property
    def tag(self):
        return thread_tag(self.comment)


@dataclass
class Struct:
    name: str
    comment: str
    line: int
    fields: list


@dataclass
class Function:
    """An inline function, a type of functions, or the entry function."""

    name: str
    comment: str
    line: int
    kind: str  # "inline", "type", "exported"
    result: CType
    parameters: list

    @property
    def tag(self):
        return thread_tag(self.comment)


@dataclass
class Macro:
    name: str
    comment: str
    line: int
    text: str
    parameters: list  # None for a constant
    group: str = ""  # what is said of this constant and those below it


@dataclass
class Header:
    name: str
    comment: str = ""
    includes: list = default(default_factory=list)
    items: list = default(default_factory=list)  # Struct, Function and Macro, in their order
    forwards: list = default(default_factory=list)

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]


def thread_tag(comment):
    """The last thread tag of a comment, or None."""
    found = re.findall(r"\[(ctl|op|any|pure)\]", comment)
    return found[-1] if found else None


def without_tag(comment):
    """A comment without the thread tag at its end."""
    return re.sub(r"\s*\[(ctl|op|any|pure)\]\s*$", "", comment)


def since(comment):
    """The minor version of a "Since 0.x" in a comment, or None."""
    found = re.findall(r"[Ss]ince (?:ABI )?0\.(\d+)", comment)
    return int(found[-1]) if found else None


@dataclass
class Token:
    kind: str
    text: str
    line: int


class Reader:
    """Goes through the tokens of one header."""

    def __init__(self, name, text):
        self.header = Header(name)
        self.comments = {}  # line: text of the comment on it
        self.code = set()  # lines that have more than a comment
        self.tokens = []
        self.at = 0
        self.macros = []
        self.split(text)

    def fail(self, line, problem):
        raise HeaderError(f"{self.header.name}:{line}: {problem}")

    # MARK: Lines and words

    def split(self, text):
        lines = text.split("\n")
        kept, number = [], 0
        while number < len(lines):
            if not lines[number].startswith("#"):
                kept.append(lines[number])
                number += 1
                continue
            first = number
            while lines[number].endswith("\\"):
                number += 1
            number += 1
            kept += [""] * (number - first)
            self.code.update(range(first + 1, number + 1))
            self.directive(first + 1, [line.rstrip("\\").rstrip() for line in lines[first:number]])
        line = 1
        for match in TOKEN.finditer("\n".join(kept)):
            kind = match.lastgroup
            if kind == "line":
                line += 1
            elif kind == "comment":
                self.comments[line] = match.group()[2:].removeprefix(" ").rstrip()
            elif kind != "space":
                self.code.add(line)
                self.tokens.append(Token(kind, match.group(), line))

    def directive(self, line, lines):
        first, comment = lines[0], ""
        cut = re.search(r"\s+//(.*)$", first)
        if cut and '"' not in first[cut.start() :]:
            first, comment = first[: cut.start()], cut.group(1).strip()
            self.comments[line] = comment
        text = " ".join([first] + [part.strip() for part in lines[1:]])
        include = re.match(r'#include ["<](.+)[">]$', text)
        if include:
            self.header.includes.append(include.group(1))
            return
        macro = re.match(r"#define (\w+)(\(([^)]*)\))?(?:\s+(.*))?$", text)
        if macro and macro.group(4):
            parameters = macro.group(3)
            names = None
            if macro.group(2):
                names = [name.strip() for name in parameters.split(",")]
            self.macros.append(Macro(macro.group(1), "", line, macro.group(4), names))

    # MARK: Comments

    def comment_above(self, line):
        """The comment lines right above a line, as paragraphs."""
        first = line
        while first - 1 in self.comments and first - 1 not in self.code:
            first -= 1
        return self.join(range(first, line))

    def comment_at(self, first, last):
        """The comment of a declaration: above it, then beside it."""
        above = self.comment_above(first)
        beside = self.join(number for number in range(first, last + 1) if number in self.comments)
        return (above + " " + beside).strip() if beside else above

    def join(self, numbers):
        return "\n".join(self.comments[number] for number in numbers)

    def section_above(self, line):
        """A comment that a blank line parts from the declaration at a line, and its line."""
        while line - 1 in self.comments and line - 1 not in self.code:
            line -= 1
        end = line - 1
        if end in self.comments or end in self.code or end < 2:
            return "", 0
        if end - 1 in self.code or end - 1 not in self.comments:
            return "", 0
        return self.comment_above(end), end - 1

    # MARK: Declarations

    def read(self):
        first = 1
        while first in self.comments and first not in self.code:
            first += 1
        about = self.join(range(1, first))
        self.header.comment = re.sub(r"\AGenerated by .*\n\n?", "", about)
        while self.at < len(self.tokens):
            self.declaration()
        self.comment_macros()
        self.header.items = sorted(self.header.items + self.macros, key=lambda item: item.line)
        return self.header

    def comment_macros(self):
        """Comments of macros: above several of them it is the group's, beside one its own."""
        lines = {macro.line for macro in self.macros}
        before = None
        for macro in self.macros:
            above = self.comment_above(macro.line)
            macro.comment = self.comments.get(macro.line, "")
            first = macro.line - above.count("\n") - 1 if above else macro.line
            is_next = before and before.line == first - 1
            if is_next and (not above or re.fullmatch(r"Since 0\.\d+\.", above)):
                macro.group = before.group
            elif macro.comment or macro.line + 1 in lines:
                macro.group = above
            else:
                macro.comment = above
            before = macro

    def peek(self, ahead=0):
        index = self.at + ahead
        last = self.tokens[-1].line if self.tokens else 1
        return self.tokens[index] if index < len(self.tokens) else Token("end", "", last)

    def take(self, text=None):
        token = self.peek()
        if token.kind == "end" or (text and token.text != text):
            self.fail(token.line, f"expected {text or 'more'}, found {token.text or 'the end'}")
        self.at += 1
        return token

    def declaration(self):
        start = self.peek()
        if start.text == "typedef" and self.peek(1).text == "struct":
            self.take()
            self.struct(start.line, is_typedef=True)
        elif start.text == "struct":
            self.struct(start.line, is_typedef=False)
        elif start.text == "typedef":
            self.take()
            self.function_type(start.line)
        elif start.text in ("static", "APUS_EXPORT"):
            self.function(start.line)
        elif start.text == "__attribute__":
            self.fail(start.line, "an attribute outside of a macro")
        else:
            self.fail(start.line, f"a declaration that begins with {start.text}")

    def struct(self, line, is_typedef):
        self.take("struct")
        name = self.take().text
        if self.peek().text != "{":
            self.header.forwards.append(self.take().text if is_typedef else name)
            self.take(";")
            return
        fields = self.fields()
        if is_typedef and self.take().text != name:
            self.fail(line, f"struct {name} has another name as a type")
        self.take(";")
        comment = self.comment_above(line)
        self.header.items.append(Struct(name, comment, line, fields))

    def fields(self):
        self.take("{")
        fields = []
        while self.peek().text != "}":
            fields.append(self.field())
        self.take("}")
        return fields

    def field(self):
        line = self.peek().line
        if self.peek().text == "union":
            self.take()
            members = self.fields()
            name = self.take().text
            found = Field(name, "", line, members=members)
        else:
            type = self.type()
            if self.peek().text == "(":
                name, parameters = self.function_pointer()
                found = Field(name, "", line, result=type, parameters=parameters)
            else:
                found = Field(self.take().text, "", line, type=type)
                if self.peek().text == "[":
                    self.take()
                    found.count = self.take().text
                    self.take("]")
        last = self.take(";").line
        found.comment = self.comment_at(line, last)
        section, _ = self.section_above(line)
        found.section = section
        return found

    def type(self):
        type = CType("")
        while True:
            token = self.peek()
            if token.text == "const":
                self.take()
                type.is_const = True
            elif token.text == "struct":
                self.take()
            elif token.kind == "word" and not type.base:
                type.base = self.take().text
            else:
                break
        while self.peek().text == "*":
            self.take()
            is_const = self.peek().text == "const"
            if is_const:
                self.take()
            type.pointers.append(is_const)
        if not type.base:
            self.fail(self.peek().line, f"expected a type, found {self.peek().text or 'the end'}")
        return type

    def function_pointer(self):
        self.take("(")
        self.take("*")
        name = self.take().text
        self.take(")")
        return name, self.parameters()

    def parameters(self):
        self.take("(")
        found = []
        while self.peek().text != ")":
            type = self.type()
            name = self.take().text if self.peek().kind == "word" else ""
            stars = type
            if self.peek().text == "[":
                self.fail(self.peek().line, "a parameter that is an array")
            found.append(Parameter(stars, name))
            if self.peek().text == ",":
                self.take()
        self.take(")")
        if len(found) == 1 and found[0].type.text() == "void":
            return []
        return found

    def function_type(self, line):
        result = self.type()
        name, parameters = self.function_pointer()
        self.take(";")
        comment = self.comment_above(line)
        self.header.items.append(Function(name, comment, line, "type", result, parameters))

    def function(self, line):
        kind = "exported"
        if self.take().text == "static":
            kind = "inline"
            self.take("inline")
        result = self.type()
        name = self.take().text
        parameters = self.parameters()
        if kind == "exported":
            self.take(";")
        else:
            self.skip_body()
        comment = self.comment_above(line)
        self.header.items.append(Function(name, comment, line, kind, result, parameters))

    def skip_body(self):
        depth = 0
        while True:
            text = self.take().text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return


def read_folder(folder):
    """The headers of a version, by name, in the order of their names; apus.h first."""
    paths = sorted(folder.glob("apus/*.h"), key=lambda path: (path.name != "apus.h", path.name))
    if not paths:
        raise HeaderError(f"no headers in {folder}")
    return [Reader(path.name, path.read_text()).read() for path in paths]
