using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class StreamSectionTests
{
    [Fact]
    public void A_section_holds_what_the_open_streams_held()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var names = Enumerable.Range(0, 1 + random.Next(200)).Select(i => $"stream-{i}").Append(SameHash.Pairs[0].A).Append(SameHash.Pairs[0].B).ToList();
            var (streams, given) = Fill(names, random, random.Next(3000));
            Assert.True(StreamSection.TryOpen(Encode(streams, given), out var section));
            Assert.Equal(streams.Count, section.Count);
            foreach (var name in names)
            {
                var positions = given.Select((n, i) => (n, (uint)i)).Where(e => e.n == name).Select(e => e.Item2).ToArray();
                var index = Find(section, name, given);
                if (positions.Length == 0)
                {
                    Assert.Equal(-1, index);
                    continue;
                }

                Assert.Equal(positions.Length, section.Events(index));
                Assert.Equal(Offset(positions[0]), section.FirstOffset(index));
                Assert.Equal(name.Length, section.Previous(index));
                var from = random.Next(positions.Length);
                var found = new uint[random.Next(positions.Length - from + 1)];
                Assert.True(section.Positions(index, positions[0], from, found));
                Assert.Equal(positions.Skip(from).Take(found.Length), found);
            }
        }
    }

    [Fact]
    public void A_section_cut_anywhere_is_none_or_says_so()
    {
        var (streams, given) = Fill(["a", "b", "c"], new Random(1), 500);
        var whole = Encode(streams, given);
        for (var length = 0; length < whole.Length; length++)
        {
            var lists = StreamSection.TryOpen(whole.AsSpan(0, length), out var section)
                && Enumerable.Range(0, section.Count).Count(_ => true) == 3
                && ReadAll(section, given);
            Assert.False(lists);
        }
    }

    [Fact]
    public void Events_take_one_byte_each_while_streams_are_few()
    {
        var names = Enumerable.Range(0, 10).Select(i => $"s{i}").ToList();
        var (streams, given) = Fill(names, new Random(1), 10_000);
        Assert.InRange(Encode(streams, given).Length, 10_000, 10_600);
    }

    private static bool ReadAll(StreamSection section, List<string> given)
    {
        var whole = true;
        for (var i = 0; i < section.Count; i++)
        {
            whole &= section.Positions(i, (uint)given.IndexOf(given[(int)(section.FirstOffset(i) / 64)]), 0, new uint[section.Events(i)]);
        }

        return whole;
    }

    private static (OpenStreams Streams, List<string> Given) Fill(List<string> names, Random random, int events)
    {
        var streams = new OpenStreams("streams");
        var given = new List<string>();
        for (var i = 0U; i < events; i++)
        {
            var name = names[random.Next(names.Count)];
            var utf8 = Encoding.UTF8.GetBytes(name);
            var ordinal = streams.Find(OpenStreamsTests.Hash(name), utf8);
            streams.Add(ordinal >= 0 ? ordinal : streams.Begin(OpenStreamsTests.Hash(name), utf8, 7, previous: name.Length));
            given.Add(name);
        }

        return (streams, given);
    }

    private static byte[] Encode(OpenStreams streams, List<string> given) =>
        StreamSection.Encode(
            streams,
            ordinal => new StreamName(Encoding.UTF8.GetBytes(given[(int)streams.FirstPosition(ordinal)])).FullHash,
            ordinal => Offset(streams.FirstPosition(ordinal)));

    private static long Offset(uint position) => 64L * position;

    private static int Find(StreamSection section, string name, List<string> given)
    {
        var wanted = new StreamName(Encoding.UTF8.GetBytes(name));
        for (var i = section.FirstCandidate(wanted); i >= 0 && i < section.Count && section.HashOf(i) == wanted.Hash; i++)
        {
            if (given[(int)(section.FirstOffset(i) / 64)] == name)
            {
                return i;
            }
        }

        return -1;
    }
}
