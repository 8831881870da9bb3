#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A C++ program with exceptions, containers and threads: compiled without the library, run with it.
# It checks that operator new keeps the language's promises: new-handler, bad_alloc, alignment.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need g++ g++

cat >"$data/containers.cc" <<'END'
#include <deque>
#include <forward_list>
#include <iostream>
#include <list>
#include <map>
#include <memory_resource>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

int main()
{
	std::unordered_map<std::string, std::vector<int>> u;
	std::map<int, std::string> m;
	std::set<std::string> s;
	std::deque<std::string> d;
	std::list<std::map<int, int>> l;
	std::pmr::vector<std::pmr::string> p;
	std::ostringstream o;
	unsigned x = 1;

	for (int i = 0; i < 200000; i++) {
		x = x * 1664525u + 1013904223u;
		u["key" + std::to_string(x % 5000)].push_back(i);
		m[x % 20011] += char('a' + i % 26);
		if (i % 3 == 0)
			m.erase(int(x % 10007));
		s.insert(std::string(x % 60, 'x') + std::to_string(i % 1000));
		d.push_front(std::to_string(x));
		if (d.size() > 3000)
			d.pop_back();
		if (i % 100 == 0)
			l.emplace_back()[i] = i;
		p.emplace_back("a string that is too long for its small buffer");
		if (p.size() > 2000)
			p.clear(), p.shrink_to_fit();
	}
	size_t n = 0;
	for (auto &[k, v] : u)
		n += k.size() * std::accumulate(v.begin(), v.end(), size_t(0));
	for (auto &[k, v] : m)
		n = n * 31 + k + v.size();
	for (auto &k : s)
		n = n * 31 + k.size();
	for (auto &k : d)
		o << k << ' ';
	std::string t = o.str();
	auto re = std::regex("([0-9]{3})77");
	auto hits = std::distance(std::sregex_iterator(t.begin(), t.end(), re), {});
	std::cout << n << ' ' << l.size() << ' ' << t.size() << ' ' << hits << '\n';
}
END
cat >"$data/exceptions.cc" <<'END'
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static int calls;
static void handler() { if (++calls == 3) std::set_new_handler(nullptr); }
/* The compiler may not see how much is asked for, nor that nobody uses it. */
static volatile size_t huge = SIZE_MAX / 4;
static void *volatile sink;
struct alignas(256) wide { char c[256]; };
struct throws {
	std::string s;
	throws() : s(500, 't') { throw std::runtime_error(s.substr(0, 5)); }
};

static int depth(int n)
{
	std::vector<std::string> v(n % 7 + 1, std::string(100, 'v'));
	if (n == 0)
		throw std::out_of_range("bottom");
	try {
		return depth(n - 1) + int(v.size());
	} catch (std::exception &) {
		std::throw_with_nested(std::runtime_error("level " + std::to_string(n)));
	}
}

static int nested(const std::exception &e)
{
	try {
		std::rethrow_if_nested(e);
	} catch (std::exception &inner) {
		return 1 + nested(inner);
	}
	return 0;
}

template <class F> static void bad_alloc(const char *what, F f)
{
	try {
		sink = f();
		std::cout << what << ": no exception\n";
	} catch (std::bad_alloc &e) {
		std::cout << what << ": " << e.what() << '\n';
	}
}

int main()
{
	try {
		depth(200);
	} catch (std::exception &e) {
		std::cout << e.what() << ' ' << nested(e) << '\n';
	}
	for (int i = 0; i < 2000; i++)
		try {
			sink = new throws[3];
		} catch (std::runtime_error &e) {
			calls += e.what()[0] == 't';
		}
	std::cout << calls << '\n';
	bad_alloc("new", [] { return ::operator new(huge); });
	bad_alloc("new[]", [] { return new char[huge]; });
	bad_alloc("aligned", [] { return ::operator new(huge, std::align_val_t(64)); });
	bad_alloc("vector", [] { return std::vector<char>(huge).data(); });
	calls = 0;
	std::set_new_handler(handler);
	bad_alloc("handler", [] { return ::operator new(huge); });
	std::cout << calls << " calls of the handler\n";
	std::cout << "nothrow " << (::operator new(huge, std::nothrow) == nullptr) << '\n';
	for (int i = 0; i < 100; i++) {
		auto w = new wide[i % 5 + 1];
		sink = w;
		if (reinterpret_cast<uintptr_t>(w) % 256)
			std::cout << "misaligned\n";
		delete[] w;
	}
	void *a = ::operator new(0), *b = ::operator new(0);
	sink = a;
	std::cout << "new(0) " << (a && b && a != b) << '\n';
	::operator delete(a);
	::operator delete(b, size_t(0));
	::operator delete(nullptr);
	free(nullptr);
}
END
cat >"$data/threads.cc" <<'END'
#include <condition_variable>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

thread_local std::vector<std::string> local;
static std::mutex lock;
static std::condition_variable more;
static std::queue<std::shared_ptr<std::string>> queue;

static size_t consume()
{
	size_t n = 0;
	for (;;) {
		std::unique_lock<std::mutex> l(lock);
		more.wait(l, [] { return !queue.empty(); });
		auto p = std::move(queue.front());
		queue.pop();
		l.unlock();
		if (!p)
			return n;
		n += p->size();
		local.push_back(*p);
	}
}

static void produce(int seed)
{
	for (int i = 0; i < 20000; i++) {
		auto p = std::make_shared<std::string>(size_t(i * seed % 300), 'p');
		std::lock_guard<std::mutex> l(lock);
		queue.push(std::move(p));
		more.notify_one();
	}
}

int main()
{
	std::vector<std::future<size_t>> sums;
	std::vector<std::thread> producers;
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		sums.push_back(std::async(std::launch::async, consume));
	for (int i = 1; i <= 3; i++)
		producers.emplace_back(produce, i);
	for (auto &t : producers)
		t.join();
	for (int i = 0; i < 3; i++) {
		std::lock_guard<std::mutex> l(lock);
		queue.push(nullptr);
		more.notify_all();
	}
	for (auto &f : sums)
		n += f.get();
	for (int i = 0; i < 1000; i++)
		std::thread([i] { local.assign(10, std::string(i, 'l')); }).join();
	std::cout << n << '\n';
}
END
for prog in containers exceptions threads; do
	if ! plain g++ -std=c++17 -O2 -pthread -w -o "$data/$prog" "$data/$prog.cc" \
		2>"$log/cc"; then
		fail "$prog compiles" "$log/cc"
		continue
	fi
	bound "$data/$prog"
	same "$prog" "$data/$prog"
done
done_testing
