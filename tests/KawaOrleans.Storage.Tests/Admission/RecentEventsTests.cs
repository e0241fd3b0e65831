using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;

namespace KawaOrleans.Storage.Tests.Admission;

public sealed class RecentEventsTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    /// <summary>Against a list and a dictionary: additions, refused additions, truncations, at every size up to and beyond the capacity.
    /// Ids with few bits make long runs of neighbours in the table.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void It_knows_exactly_the_newest_events_whatever_was_added_and_taken_back(int seed)
    {
        var random = new Random(seed);
        var capacity = random.Next(1, 1500);
        var start = random.NextInt64(0, 1L << 40);
        var recent = new RecentEvents(capacity, start);
        var model = new List<(EventPrint Print, long Timestamp)>();
        var idBits = random.Next(6, 40);
        var now = 1L;
        var known = start;
        for (var step = 0; step < 4000; step++)
        {
            if (random.Next(50) == 0)
            {
                var back = random.Next(0, Math.Min(model.Count, 40) + 1);
                model.RemoveRange(model.Count - back, back);
                recent.TruncateTo(start + model.Count);
                known = Math.Min(known, recent.End);
                CheckKnown(recent, model, start, known);
                continue;
            }

            now += random.Next(3) == 0 ? random.Next(1, 5) : 0;
            var print = new EventPrint((ulong)random.NextInt64() & ((1ul << idBits) - 1) | ((ulong)random.Next(4) << 60), (uint)random.Next());
            var expected = IndexOf(model, recent.Start - start, print.Id);
            var added = recent.TryAdd(print, out var position);
            Assert.Equal(expected < 0, added);
            Assert.Equal(start + (added ? model.Count : expected), position);
            if (added)
            {
                recent.Stamp(position, now);
                model.Add((print, now));
            }

            known = Math.Max(known, start + model.Count - capacity);
        }

        CheckKnown(recent, model, start, known);
    }

    [Fact]
    public void It_holds_as_many_as_its_capacity_and_forgets_the_oldest_first()
    {
        var recent = new RecentEvents(1000, 5);
        for (var i = 0; i < 3000; i++)
        {
            recent.Add(new EventPrint(unchecked((ulong)i * 0x9E3779B97F4A7C15), (uint)i));
        }

        Assert.Equal((2005, 3005), (recent.Start, recent.End));
        Assert.Equal(-1, recent.Find(unchecked(1999 * 0x9E3779B97F4A7C15)));
        Assert.Equal(2005, recent.Find(unchecked(2000 * 0x9E3779B97F4A7C15)));
        Assert.Equal(2999u, recent.At(3004).Content);
    }

    /// <summary>Few homes for many: what lies far behind its home has to be found, and moved back, like all the rest.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Events_far_behind_their_homes_are_known_and_forgotten(int seed)
    {
        const int Capacity = 300;
        var random = new Random(seed);
        var recent = new RecentEvents(Capacity, 0);
        var ids = new List<ulong>();
        for (var i = 0; i < 1500; i++)
        {
            ids.Add(((ulong)i << 34) | (uint)random.Next(1 << (seed % 8)));
            Assert.True(recent.TryAdd(new EventPrint(ids[i], (uint)i), out _));
            var known = random.Next(Math.Max(0, i - Capacity + 1), i + 1);
            Assert.Equal(known, recent.Find(ids[known]));
            Assert.Equal(-1, i >= Capacity ? recent.Find(ids[random.Next(i - Capacity + 1)]) : -1);
        }
    }

    [Fact]
    public void Without_capacity_it_knows_nothing_but_where_the_log_ends()
    {
        var recent = new RecentEvents(0, 5);

        Assert.True(recent.TryAdd(new EventPrint(1, 1), out var first));
        Assert.True(recent.TryAdd(new EventPrint(1, 1), out var second));

        Assert.Equal((5, 6, 7, 7), (first, second, recent.Start, recent.End));
    }

    private static int IndexOf(List<(EventPrint Print, long Timestamp)> model, long from, ulong id)
    {
        for (var i = (int)from; i < model.Count; i++)
        {
            if (model[i].Print.Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    private static void CheckKnown(RecentEvents recent, List<(EventPrint Print, long Timestamp)> model, long start, long known)
    {
        Assert.Equal((known, start + model.Count), (recent.Start, recent.End));
        for (var position = recent.Start; position < recent.End; position++)
        {
            var (print, timestamp) = model[(int)(position - start)];
            Assert.Equal(position, recent.Find(print.Id));
            Assert.Equal(print, recent.At(position));
            Assert.Equal(timestamp, recent.TimestampAt(position));
        }
    }
}
