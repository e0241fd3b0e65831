using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class RunMergePlanTests
{
    [Fact]
    public void Nothing_new_merges_nothing() => Assert.Equal((0, 0), RunMergePlan.Next([], [100, 10]));

    [Fact]
    public void A_small_segment_stays_beside_runs_that_are_large_enough() => Assert.Equal((1, 0), RunMergePlan.Next([10], [20, 40]));

    [Fact]
    public void A_segment_takes_the_runs_along_that_are_not_twice_as_large() => Assert.Equal((1, 2), RunMergePlan.Next([10], [19, 50, 200]));

    [Fact]
    public void Of_many_segments_the_oldest_go_first() => Assert.Equal((RunMergePlan.MostSegments, 0), RunMergePlan.Next([.. Enumerable.Repeat(1L, 100)], []));

    [Theory]
    [InlineData(1, 1000, true)]
    [InlineData(2, 1000, false)]
    [InlineData(3, 3000, false)]
    public void However_many_segments_there_are_few_runs_are_left_and_little_is_written(int seed, int segments, bool allNew)
    {
        var random = new Random(seed);
        var runs = new List<long>();
        var (given, written) = (0L, 0L);
        for (var i = 0; i < segments; i++)
        {
            var streams = allNew ? 1000 : 1 + random.Next(5000);
            given += streams;
            var (taken, merged) = RunMergePlan.Next([streams], runs);
            Assert.Equal(1, taken);
            var run = streams + runs.Take(merged).Sum();
            written += run;
            runs.RemoveRange(0, merged);
            runs.Insert(0, run);
            Assert.InRange(runs.Count, 1, 2 + (int)Math.Log2(given));
            Assert.All(runs.Zip(runs.Skip(1)), pair => Assert.True(pair.Second >= 2 * pair.First));
        }

        Assert.InRange(written, given, given * (2 + (long)Math.Log2(segments)));
    }
}
