using System.Net;
using System.Net.Sockets;
using SalesTasks.Delivery;

namespace SalesTasks.Tests.Delivery;

public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("255.255.255.255")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("fe80::1")]
    [InlineData("febf::1")]
    [InlineData("ff02::1")]
    [InlineData("::")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::")]
    [InlineData("::169.254.169.254")]
    public void Address_OfNoReceiver_IsForbidden(string address) => Assert.True(AddressGuard.IsForbidden(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("10.0.0.7")]
    [InlineData("192.168.1.1")]
    [InlineData("172.16.0.1")]
    [InlineData("fd12:3456::1")]
    [InlineData("93.184.216.34")]
    [InlineData("2606:2800:220:1::1")]
    [InlineData("::ffff:93.184.216.34")]
    [InlineData("64:ff9b::5db8:d822")]
    [InlineData("169.253.255.255")]
    [InlineData("223.255.255.255")]
    public void Address_OfAReceiver_IsAllowed(string address) => Assert.False(AddressGuard.IsForbidden(IPAddress.Parse(address)));

    [Fact]
    public async Task Connect_NameThatResolves_IsConnectedTo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        await using var stream = await AddressGuard.ConnectAsync(
            new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port), TestContext.Current.CancellationToken);

        Assert.True(stream.CanWrite);
    }

    [Fact]
    public async Task Connect_NameOfNobody_IsANetworkFailure() => await Assert.ThrowsAsync<SocketException>(
        () => AddressGuard.ConnectAsync(new DnsEndPoint("no-such-host.invalid", 443), TestContext.Current.CancellationToken));
}
