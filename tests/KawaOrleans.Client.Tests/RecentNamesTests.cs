using System.Text;

namespace KawaOrleans.Client.Tests;

public sealed class RecentNamesTests
{
    [Fact]
    public void A_name_is_what_its_bytes_say_whatever_was_met_before()
    {
        // So few places that nearly every name displaces another.
        var names = new RecentNames(entriesLog2: 1);
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => "abc/ü漢"[random.Next(6)])]);
            Assert.Equal(text, names.Get(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Fact]
    public void A_name_that_comes_again_is_the_same_object()
    {
        var names = new RecentNames(entriesLog2: 6);
        var first = names.Get("order-placed"u8);

        Assert.Same(first, names.Get("order-placed"u8));
        Assert.NotSame(first, names.Get("order-paid"u8));
    }
}
