// Reads the part of PTX that clang makes of the kernels, and of their inline assembly.
#include "ptx.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ptx {

using std::string;
using std::vector;

static vector<string> split(const string &s, char by)
{
	vector<string> out(1);
	for (char c : s) {
		if (c == by) out.emplace_back();
		else out.back() += c;
	}
	return out;
}

static string trimmed(const string &s)
{
	size_t a = s.find_first_not_of(" \t\n"), b = s.find_last_not_of(" \t\n");
	return a == string::npos ? "" : s.substr(a, b - a + 1);
}

static string uncommented(const char *text)
{
	string out;
	for (; *text; text++) {
		if (text[0] == '/' && text[1] == '/') text += strcspn(text, "\n");
		if (!*text) break;
		out += *text;
	}
	return out;
}

static Type type_of(const string &s)
{
	if (s == "pred") return {'p', 1};
	if (s == "f16x2" || s == "bf16x2") return {'h', 32};
	if (s == "bf16") return {'f', 16};
	if (s.size() > 1 && strchr("busf", s[0]) && isdigit(s[1])) return {s[0], atoi(s.c_str() + 1)};
	return {'?', 0};
}

struct Parser {
	Kernel &k;
	std::map<string, uint64_t> symbols;
	std::map<string, int> labels;
	vector<string> targets; // of the instructions

	int reg(const string &name) { return k.registers.emplace(name, (int)k.registers.size()).first->second; }

	// A variable in shared memory: .shared .align A .b8 name[N]
	void shared(const string &s)
	{
		unsigned align = 1, size = 0;
		size_t a = s.find(".align "), n = s.find('[');
		if (a != string::npos) align = atoi(s.c_str() + a + 7);
		size = atoi(s.c_str() + n + 1);
		string name = s.substr(0, n);
		name = name.substr(name.find_last_of(" \t") + 1);
		k.fixed = (k.fixed + align - 1) / align * align;
		symbols[name] = BASE + k.fixed;
		k.fixed += size;
	}

	uint64_t number(const string &s)
	{
		if (s[0] == '0' && (s[1] == 'f' || s[1] == 'd')) return strtoull(s.c_str() + 2, nullptr, 16);
		return strtoull(s.c_str(), nullptr, 0);
	}

	Operand operand(const string &s)
	{
		Operand o;
		if (s == "_") return o;
		const char *specials[] = {"%tid.x", "%ctaid.x", "%globaltimer", "%nctaid.x"};
		for (int n = 0; n < 4; n++)
			if (s == specials[n]) return o.special = true, o.number = n, o;
		size_t plus = s.find('+', 1);
		string name = s.substr(0, plus);
		if (plus != string::npos) o.number = number(s.substr(plus + 1));
		auto symbol = symbols.find(name);
		if (symbol != symbols.end()) o.number += symbol->second;
		else if (isdigit(name[0]) || name[0] == '-') o.number += number(name);
		else o.reg = reg(name);
		return o;
	}

	void statement(string s);
	void details(Instruction &i, const vector<string> &parts);
};

static const std::map<string, Op> &operations()
{
	static const std::map<string, Op> all = {{"abs", ABS}, {"add", ADD}, {"and", AND}, {"bfe", BFE}, {"bra", BRA}, {"cvt", CVT}, {"cvta", CVTA}, {"div", DIV},
		{"ex2", EX2}, {"fma", FMA}, {"ld", LD}, {"ldmatrix", LDMATRIX}, {"lg2", LG2}, {"mad", MAD}, {"max", MAX}, {"min", MIN}, {"mma", MMA}, {"mov", MOV},
		{"mul", MUL}, {"neg", NEG}, {"not", NOT}, {"or", OR}, {"rcp", RCP}, {"rem", REM}, {"ret", RET}, {"selp", SELP}, {"setp", SETP}, {"shfl", SHFL},
		{"shl", SHL}, {"shr", SHR}, {"sqrt", SQRT}, {"st", ST}, {"sub", SUB}, {"xor", XOR}, {"fence", FENCE}, {"setmaxnreg", FENCE}};
	return all;
}

static Op operation(const string &name, const vector<string> &parts)
{
	auto begins = [&](const char *with) { return !name.compare(0, strlen(with), with); };
	if (begins("atom.inc.u32")) return ATOM_INC;
	if (begins("bar.sync")) return BAR;
	if (begins("bar.warp.sync")) return WARP_BARRIER;
	if (begins("mbarrier.init")) return BARRIER_INIT;
	if (begins("mbarrier.arrive.expect_tx")) return BARRIER_EXPECT;
	if (begins("mbarrier.arrive")) return BARRIER_ARRIVE;
	if (begins("mbarrier.try_wait.parity")) return BARRIER_TRY;
	if (begins("cp.async.bulk.tensor")) return COPY_BOX;
	if (begins("cp.async.cg")) return COPY;
	if (begins("cp.async.") || begins("wgmma.fence") || begins("wgmma.commit") || begins("wgmma.wait")) return FENCE;
	if (begins("wgmma.mma_async")) return WGMMA;
	if (begins("vote.sync.any.pred")) return VOTE;
	auto found = operations().find(parts[0]);
	return found == operations().end() ? NONE : found->second;
}

void Parser::details(Instruction &i, const vector<string> &parts)
{
	const char *compares[] = {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
	bool typed = false, known = i.op != SETP;
	for (size_t n = 1; n < parts.size(); n++) {
		const string &p = parts[n];
		Type t = type_of(p);
		if (t.kind != '?') {
			if (typed) i.from = t;
			else i.type = t, typed = true;
			i.bf16 |= p == "bf16" || p == "bf16x2";
		}
		if (i.op == SETP && n == 1)
			for (int c = 0; c < 14; c++)
				if (p == compares[c]) i.compare = (Compare)c, known = true;
		if (p == "global") i.space = GLOBAL;
		if (p == "shared") i.space = ON_CHIP;
		if (p == "param") i.space = PARAM;
		if (p == "to") i.to_space = true;
		if (p == "trans" || p == "idx") i.turned = true;
		if (p == "lo" || p == "hi" || p == "wide") i.part = p[0];
		if (p == "v2" || p == "v4") i.vector = p[1] - '0';
		if (i.op == WGMMA && p[0] == 'm' && p.find('n') != string::npos) i.n = atoi(p.c_str() + p.find('n') + 1);
	}
	if (!known) i.op = NONE;
}

void Parser::statement(string s)
{
	s = trimmed(s);
	if (s.empty() || !s.compare(0, 4, ".reg") || !s.compare(0, 7, ".pragma")) return;
	if (!s.compare(0, 7, ".shared")) return shared(s);
	Instruction i;
	if (s[0] == '@') {
		i.negated = s[1] == '!';
		size_t end = s.find_first_of(" \t");
		i.guard = reg(s.substr(1 + i.negated, end - 1 - i.negated));
		s = trimmed(s.substr(end));
	}
	size_t end = s.find_first_of(" \t");
	i.name = s.substr(0, end);
	string rest = end == string::npos ? "" : trimmed(s.substr(end)), flat;
	vector<string> parts = split(i.name, '.');
	i.op = operation(i.name, parts);
	details(i, parts);
	targets.push_back(i.op == BRA ? rest : "");
	for (char c : rest)
		if (!strchr("[]{} \t\n", c)) flat += c;
	if (i.op != BRA && !flat.empty())
		for (auto &o : split(flat, ',')) i.o.push_back(operand(o));
	if (i.op == MOV && i.o.size() > 2) i.op = rest[0] == '{' ? UNPACK : PACK;
	size_t results = i.op == ST || i.op == COPY || i.op == COPY_BOX ? 0 : i.op == LD ? i.vector : i.op == MMA ? 4 : i.op == WGMMA ? 0 : 1;
	for (size_t n = results; n < i.o.size(); n++)
		if (i.o[n].reg >= 0 && !i.o[n].special) i.reads.push_back(i.o[n].reg);
	if (i.guard >= 0) i.reads.push_back(i.guard);
	k.code.push_back(i);
}

std::unique_ptr<Kernel> parse(const char *raw, const string &name)
{
	string text = uncommented(raw);
	size_t at = text.find(".entry " + name + "(");
	if (at == string::npos) return nullptr;
	std::unique_ptr<Kernel> k(new Kernel);
	k->name = name;
	Parser p{*k, {}, {}, {}};
	size_t close = text.find(')', at), open = text.find('{', close), length = text.find('[', at);
	k->parameters = length < close ? atoi(text.c_str() + length + 1) : 8;
	if (k->parameters > sizeof k->arguments) return nullptr;
	p.symbols[name + "_param_0"] = (uint64_t)k->arguments;
	for (size_t v = text.find("\n.shared"); v != string::npos; v = text.find("\n.shared", v + 1)) p.shared(text.substr(v, text.find(';', v) - v));
	size_t n = 0;
	for (size_t v = text.find("\n.global .align 4 .u32 "); v != string::npos && n < 4; v = text.find("\n.global .align 4 .u32 ", v + 1)) {
		size_t name = text.rfind(' ', text.find(';', v)) + 1;
		p.symbols[text.substr(name, text.find(';', v) - name)] = (uint64_t)&k->variables[n++];
	}
	// What the launch adds lies behind; whoever names it comes first in the file.
	vector<string> statements;
	string s;
	for (size_t c = open + 1, depth = 1; depth > 0 && c < text.size(); c++) {
		char x = text[c];
		bool empty = trimmed(s).empty();
		if (x == '}' && empty) depth--, s.clear();
		else if (x == '{' && empty) depth++, s.clear();
		else if (x == ':' && s.find('$') != string::npos) statements.push_back(trimmed(s) + ":"), s.clear();
		else if (x == ';') statements.push_back(s), s.clear();
		else s += x;
	}
	for (auto &x : statements)
		if (!trimmed(x).compare(0, 7, ".shared")) p.statement(x);
	k->fixed = (k->fixed + 127) / 128 * 128;
	p.symbols["dynamic_shared"] = BASE + k->fixed;
	for (auto &x : statements) {
		if (x.back() == ':') p.labels[x.substr(0, x.size() - 1)] = (int)k->code.size();
		else if (trimmed(x).compare(0, 7, ".shared")) p.statement(x);
	}
	for (size_t n = 0; n < k->code.size(); n++) {
		if (k->code[n].op == NONE) return fprintf(stderr, "fake driver: cannot run %s\n", k->code[n].name.c_str()), nullptr;
		if (k->code[n].op == BRA) k->code[n].target = p.labels.count(p.targets[n]) ? p.labels[p.targets[n]] : -1;
		if (k->code[n].op == BRA && k->code[n].target < 0) return fprintf(stderr, "fake driver: no label %s\n", p.targets[n].c_str()), nullptr;
	}
	return k;
}

}
