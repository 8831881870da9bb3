/* SPDX-License-Identifier: MIT */
/*
 * C++ on top of our malloc: containers, every form of operator new and delete,
 * the new-handler and bad_alloc. Plain TAP, so that no test framework's own
 * exceptions stand between the library and the program.
 */
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

int tests_run;
int tests_failed;

void ok(bool good, const char *name)
{
	std::printf("%sok %d - %s\n", good ? "" : "not ", ++tests_run, name);
	std::fflush(stdout);
	tests_failed += !good;
}

std::size_t hide(std::size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

template <typename T> T *hide_ptr(T *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

bool containers()
{
	std::map<std::string, std::vector<int>> tree;
	std::unordered_map<int, std::string> hash;
	std::list<std::string> chain;

	for (int i = 0; i < 20000; i++) {
		tree["key " + std::to_string(i % 997)].push_back(i);
		hash[i] = std::string(static_cast<std::size_t>(i % 300), 'x');
		chain.push_front(std::to_string(i));
		if (i % 3 == 0)
			chain.pop_back();
	}
	long sum = 0;

	for (const auto &node : tree)
		sum = std::accumulate(node.second.begin(), node.second.end(), sum);
	bool good = sum == 20000L * 19999 / 2 && chain.front() == "19999";

	for (const auto &node : hash)
		good = good && node.second.size() == static_cast<std::size_t>(node.first % 300);
	return good;
}

bool growing_vector()
{
	std::vector<std::string> v;

	for (int i = 0; i < 300000; i++)
		v.push_back("string number " + std::to_string(i) + " is longer than the short form");
	std::sort(v.begin(), v.end());
	return std::is_sorted(v.begin(), v.end()) && v.size() == 300000;
}

struct alignas(256) wide {
	unsigned char bytes[256];
};

struct alignas(8192) page_wide {
	unsigned char bytes[100];
};

template <typename T> bool aligned_object()
{
	std::vector<std::unique_ptr<T>> v;
	bool good = true;

	for (int i = 0; i < 200; i++) {
		v.emplace_back(hide_ptr(new T));
		std::memset(v.back()->bytes, i, sizeof(v.back()->bytes));
		good = good && reinterpret_cast<std::uintptr_t>(v.back().get()) % alignof(T) == 0;
	}
	for (int i = 0; i < 200; i++)
		good = good && v[static_cast<std::size_t>(i)]->bytes[50] == i;
	return good;
}

/* Every replaceable form once, called by name so that none is elided. */
bool every_form(std::size_t n)
{
	const std::align_val_t al{128};

	::operator delete(::operator new(n));
	::operator delete[](::operator new[](n));
	::operator delete(::operator new(n), n);
	::operator delete[](::operator new[](n), n);
	::operator delete(::operator new(n, std::nothrow), std::nothrow);
	::operator delete[](::operator new[](n, std::nothrow), std::nothrow);
	::operator delete(::operator new(n, al), al);
	::operator delete[](::operator new[](n, al), al);
	::operator delete(::operator new(n, al), n, al);
	::operator delete[](::operator new[](n, al), n, al);
	::operator delete(::operator new(n, al, std::nothrow), al, std::nothrow);
	::operator delete[](::operator new[](n, al, std::nothrow), al, std::nothrow);
	::operator delete(nullptr);
	::operator delete(nullptr, n);
	::operator delete(nullptr, al);
	return true;
}

bool all_forms_all_sizes()
{
	for (std::size_t n = 0; n < 100000; n += n < 600 ? 1 : 991)
		every_form(n);
	return every_form(5u << 20);
}

bool new_zero_is_unique()
{
	void *a = ::operator new(hide(0)), *b = ::operator new(hide(0));
	bool good = a && b && a != b;

	::operator delete(a);
	::operator delete(b);
	return good;
}

/* True if the call throws bad_alloc and nothing else. */
template <typename F> bool throws_bad_alloc(F call)
{
	try {
		void *volatile p = call();
		(void)p;
	} catch (const std::bad_alloc &) {
		return true;
	} catch (...) {
		return false;
	}
	return false;
}

bool bad_alloc_on_huge_sizes()
{
	const std::size_t huge = hide(SIZE_MAX / 2 + 1);

	return throws_bad_alloc([=] { return ::operator new(huge); }) &&
	       throws_bad_alloc([=] { return ::operator new[](huge); }) &&
	       throws_bad_alloc([=] { return ::operator new(huge, std::align_val_t{64}); }) &&
	       throws_bad_alloc([=] { return ::operator new(hide(SIZE_MAX)); }) &&
	       throws_bad_alloc([=] { return static_cast<void *>(new double[hide(SIZE_MAX / 8)]); });
}

bool nothrow_returns_null()
{
	const std::size_t huge = hide(SIZE_MAX / 2 + 1);

	return !::operator new(huge, std::nothrow) && !::operator new[](huge, std::nothrow) &&
	       !::operator new(huge, std::align_val_t{64}, std::nothrow);
}

bool vector_throws_and_survives()
{
	std::vector<char> v(1000, 'v');
	bool thrown = false;

	try {
		v.reserve(hide(static_cast<std::size_t>(PTRDIFF_MAX) - 1));
	} catch (const std::exception &) {
		thrown = true;
	}
	v.push_back('w');
	return thrown && v.size() == 1001 && v[999] == 'v';
}

int handler_calls;

void giving_up_handler()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

bool new_handler_is_called()
{
	handler_calls = 0;
	std::set_new_handler(giving_up_handler);
	bool thrown = throws_bad_alloc([] { return ::operator new(hide(SIZE_MAX / 2 + 1)); });

	std::set_new_handler(nullptr);
	return thrown && handler_calls == 3;
}

void throwing_handler()
{
	throw std::runtime_error("from the handler");
}

bool new_handler_may_throw()
{
	bool seen = false;

	std::set_new_handler(throwing_handler);
	try {
		void *volatile p = ::operator new(hide(SIZE_MAX / 2 + 1));
		(void)p;
	} catch (const std::runtime_error &e) {
		seen = std::string(e.what()) == "from the handler";
	}
	std::set_new_handler(nullptr);
	return seen;
}

void worker(std::vector<std::unique_ptr<std::string>> *out, int id)
{
	for (int i = 0; i < 20000; i++)
		out->emplace_back(new std::string(static_cast<std::size_t>(i % 200), 'a' + id % 26));
}

/* Built by one thread, destroyed by another. */
bool objects_change_threads()
{
	std::vector<std::vector<std::unique_ptr<std::string>>> out(4);
	std::vector<std::thread> crew;
	bool good = true;

	for (int t = 0; t < 4; t++)
		crew.emplace_back(worker, &out[static_cast<std::size_t>(t)], t);
	for (auto &t : crew)
		t.join();
	for (const auto &v : out)
		for (std::size_t i = 0; i < v.size(); i++)
			good = good && v[i]->size() == i % 200;
	return good;
}

struct thrower {
	std::string name;
	explicit thrower(int i) : name(100, 'n')
	{
		if (i % 3 == 0)
			throw std::runtime_error(name);
	}
};

bool exceptions_from_constructors()
{
	int caught = 0;

	for (int i = 0; i < 3000; i++) {
		try {
			std::unique_ptr<thrower> t(new thrower(i));
		} catch (const std::runtime_error &e) {
			caught += std::strlen(e.what()) == 100;
		}
	}
	return caught == 1000;
}

} // namespace

int main()
{
	ok(containers(), "containers");
	ok(growing_vector(), "growing vector of strings");
	ok(aligned_object<wide>(), "objects aligned to 256");
	ok(aligned_object<page_wide>(), "objects aligned to 8192");
	ok(all_forms_all_sizes(), "every form of new and delete");
	ok(new_zero_is_unique(), "operator new(0) is unique");
	ok(bad_alloc_on_huge_sizes(), "bad_alloc on huge sizes");
	ok(nothrow_returns_null(), "nothrow forms return null");
	ok(vector_throws_and_survives(), "vector throws and survives");
	ok(new_handler_is_called(), "new handler is called until it gives up");
	ok(new_handler_may_throw(), "new handler may throw its own");
	ok(objects_change_threads(), "objects destroyed by another thread");
	ok(exceptions_from_constructors(), "exceptions from constructors");
	std::printf("1..%d\n", tests_run);
	return tests_failed != 0;
}
