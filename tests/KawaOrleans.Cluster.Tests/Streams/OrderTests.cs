using KawaOrleans.ClientSample.Orders;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>The sample's aggregate: decided on a revision, recorded under it.</summary>
public sealed class OrderTests
{
    [Fact]
    public async Task An_order_that_many_clerks_take_the_money_for_at_once_is_paid_once()
    {
        await using var cluster = await StreamTests.Start(1);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var orders = new OrderStore(await store.CreateLogAsync("orders"));
        Assert.False((await orders.ChangeAsync("1", order => order.Pay("nobody"))).Changed);
        var placed = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => orders.ChangeAsync("1", order => order.Place($"customer-{i}", 10))));
        var paid = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => orders.ChangeAsync("1", order => order.Pay($"clerk-{i}"))));

        var order = await orders.LoadAsync("1");
        Assert.Equal(1, order.Revision);
        Assert.Equal(order.Customer, Assert.Single(placed, one => one.Changed).Order.Customer);
        Assert.Equal(order.PaidBy, Assert.Single(paid, one => one.Changed).Order.PaidBy);
    }

    [Fact]
    public async Task An_order_that_was_summarized_is_loaded_from_there_and_is_the_same()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = await cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>().CreateLogAsync("orders");
        var orders = new OrderStore(log);
        await orders.SummarizeAsync("1");
        await orders.ChangeAsync("1", order => order.Place("Ada", 10));
        await orders.SummarizeAsync("1");
        await orders.ChangeAsync("1", order => order.Pay("Bob"));

        var stream = log.Stream("order-1");
        Assert.Equal(new Order("1", 2, "Ada", "Bob"), await orders.LoadAsync("1"));
        Assert.Equal(["order-summary", "order-paid"], (await StreamTests.Drain(stream.ReadAsync())).Select(e => e.Type));
        await orders.SummarizeAsync("1");
        Assert.Equal(new Order("1", 3, "Ada", "Bob"), await orders.LoadAsync("1"));
        Assert.Equal(3, (await stream.GetMetadataAsync()).Metadata.TruncateBefore);
    }
}
