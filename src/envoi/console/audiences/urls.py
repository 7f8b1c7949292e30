from django.urls import path

from envoi.console.audiences import lists, products

app_name = "audiences"
urlpatterns = [
    path("targets/", lists.targets, name="targets"),
    path("lists/", lists.index, name="lists"),
    path("lists/new/", lists.new, name="list-new"),
    path("lists/<int:pk>/", lists.show, name="list"),
    path("lists/<int:pk>/edit/", lists.edit, name="list-edit"),
    path("lists/<int:pk>/members/", lists.members, name="list-members"),
    path("lists/<int:pk>/removal/", lists.removal, name="list-removal"),
    path("lists/<int:pk>/archive/", lists.archive, name="list-archive"),
    path("lists/<int:pk>/restoration/", lists.restoration, name="list-restoration"),
    path("products/", products.index, name="products"),
    path("products/new/", products.new, name="product-new"),
    path("products/<int:pk>/", products.show, name="product"),
    path("products/<int:pk>/edit/", products.edit, name="product-edit"),
    path("products/<int:pk>/memberships/", products.memberships, name="product-memberships"),
    path("products/<int:pk>/removal/", products.removal, name="product-removal"),
    path("products/<int:pk>/archive/", products.archive, name="product-archive"),
    path("products/<int:pk>/restoration/", products.restoration, name="product-restoration"),
    path("memberships/<int:pk>/", products.membership, name="membership"),
]
