using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class NameFilterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(20_000)]
    public void A_filter_never_denies_what_it_holds_and_rarely_claims_what_it_does_not(int names)
    {
        var filter = new byte[NameFilter.BytesFor(names)];
        for (var i = 0; i < names; i++)
        {
            NameFilter.Add(filter, Hash($"in-{i}"));
        }

        Assert.All(Enumerable.Range(0, names), i => Assert.True(NameFilter.MayContain(filter, Hash($"in-{i}"))));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => NameFilter.MayContain(filter, Hash($"out-{i}"))), 0, 200);
    }

    [Fact]
    public void A_filter_takes_ten_bits_a_name() => Assert.InRange(NameFilter.BytesFor(1_000_000), 1_250_000, 1_260_000);

    private static ulong Hash(string name) => new StreamName(Encoding.UTF8.GetBytes(name)).FullHash;
}
